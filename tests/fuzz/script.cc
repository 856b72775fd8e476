#include "tests/fuzz/script.h"

#include <algorithm>
#include <charconv>

namespace fleetmark::fuzz {
namespace {

std::string_view TakeUntil(char end, std::string_view* text) {
  const size_t length = std::min(text->find(end), text->size());
  const std::string_view part = text->substr(0, length);
  text->remove_prefix(std::min(length + 1, text->size()));
  return part;
}

}  // namespace

std::string Plain(std::string_view input) {
  std::string text(input);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c > 0x7e; }, '?');
  return text;
}

std::string_view TakeLine(std::string_view* text) { return TakeUntil('\n', text); }
std::string_view TakeWord(std::string_view* line) { return TakeUntil(' ', line); }

double NumberOf(std::string_view word, double most) {
  double number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number >= 0 && number <= most ? number : 0;
}

}  // namespace fleetmark::fuzz
