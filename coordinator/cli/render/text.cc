#include "coordinator/cli/render/text.h"

#include <algorithm>
#include <array>

namespace fleetmark {
namespace {

// Decodes the character at `*at` and moves behind it; a byte that is not UTF-8 counts as one character.
char32_t NextCharacter(std::string_view text, size_t* at) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = byte((*at)++);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  char32_t character = more == 3 ? first & 0x07u : more == 2 ? first & 0x0Fu : more == 1 ? first & 0x1Fu : first;
  for (int i = 0; i < more && *at < text.size() && (byte(*at) & 0xC0u) == 0x80u; ++i) {
    character = (character << 6) | (byte((*at)++) & 0x3Fu);
  }
  return character;
}

struct Range {
  char32_t first, last;
};
// The blocks of Unicode's East Asian Width "W" and of its combining marks that turn up in names and notes.
constexpr std::array<Range, 8> kWide = {{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0x1F300, 0x1FAFF}}};
constexpr std::array<Range, 4> kZero = {{{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <size_t N>
bool IsIn(const std::array<Range, N>& ranges, char32_t character) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return character >= range.first && character <= range.last; });
}

int WidthOf(char32_t character) { return IsIn(kZero, character) ? 0 : IsIn(kWide, character) ? 2 : 1; }

bool IsControl(unsigned char c) { return c < 0x20 || c == 0x7F; }

}  // namespace

int DisplayWidth(std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (std::all_of(text.begin(), text.end(), is_plain)) return static_cast<int>(text.size());
  int width = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\x1b') {
      at = std::min(text.find('m', at), text.size() - 1) + 1;
    } else {
      width += WidthOf(NextCharacter(text, &at));
    }
  }
  return width;
}

std::string Shorten(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  size_t end = 0;
  for (int used = 0; end < text.size();) {
    size_t next = end;
    used += WidthOf(NextCharacter(text, &next));
    if (used > width - 1) break;
    end = next;
  }
  while (end > 0 && text[end - 1] == ' ') --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == '\n' || c == '\t' || c == '\r') {
      c = ' ';
    } else if (IsControl(static_cast<unsigned char>(c))) {
      c = '?';
    }
  }
  return out;
}

std::string PrintableLines(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c != '\n' && c != '\t' && IsControl(static_cast<unsigned char>(c))) c = '?';
  }
  return out;
}

std::string ValidUtf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t character = NextCharacter(text, &at);
    const size_t needed = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    const unsigned char lead = static_cast<unsigned char>(text[start]);
    const size_t announced = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : lead < 0x80 ? 1 : 0;
    const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (at - start == announced && needed == announced && !is_surrogate && character <= 0x10FFFF) {
      out += text.substr(start, at - start);
    } else {
      out += "?";
    }
  }
  return out;
}

std::string Wrap(std::string_view text, int width, int indent) {
  if (width <= 0) return std::string(text);
  std::string out;
  int column = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const int word_width = DisplayWidth(word);
    if (column > 0 && column + 1 + word_width > width) {
      out += "\n" + std::string(static_cast<size_t>(indent), ' ');
      column = indent;
    } else if (at > 0) {
      out += " ";
      ++column;
    }
    out += word;
    column += word_width;
    at = end + 1;
  }
  return out;
}

}  // namespace fleetmark
