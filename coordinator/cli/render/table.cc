#include "coordinator/cli/render/table.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

constexpr int kLeftOut = -1;  // in a vector of widths

int LineWidth(const std::vector<int>& widths) {
  int sum = -kColumnGap;
  for (const int width : widths) sum += width == kLeftOut ? 0 : width + kColumnGap;
  return sum;
}

std::string Padded(const std::string& text, int width, Align align, bool is_last) {
  const std::string space(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
  if (align == Align::kRight) return space + text;
  return is_last ? text : text + space;
}

}  // namespace

void Table::AddRow(std::vector<Cell> row) {
  assert(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = Printable(cell.text);
  rows_.push_back(std::move(row));
}

// Takes columns of `excess` away from the widest of those that may be shortened, as evenly as can be.
static void ShrinkEvenly(int excess, const std::vector<int>& least, std::vector<int>* widths) {
  for (; excess > 0; --excess) {
    int widest = -1;
    for (size_t i = 0; i < widths->size(); ++i) {
      if ((*widths)[i] > least[i] && (widest < 0 || (*widths)[i] > (*widths)[static_cast<size_t>(widest)])) {
        widest = static_cast<int>(i);
      }
    }
    if (widest < 0) return;
    --(*widths)[static_cast<size_t>(widest)];
  }
}

std::vector<int> Table::ChooseWidths(int width) const {
  std::vector<int> natural(columns_.size(), kLeftOut), least;
  for (size_t i = 0; i < columns_.size(); ++i) {
    for (const std::vector<Cell>& row : rows_) {
      if (row[i].text.empty()) continue;
      natural[i] = std::max({natural[i], DisplayWidth(row[i].text), DisplayWidth(columns_[i].title)});
    }
    const int floor = std::max(columns_[i].least_width, DisplayWidth(columns_[i].title));
    least.push_back(columns_[i].least_width == 0 ? natural[i] : std::min(natural[i], floor));
  }
  if (width == 0) return natural;
  while (LineWidth(least) > width) {
    int drop = -1;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (natural[i] == kLeftOut || columns_[i].importance >= kEssential) continue;
      if (drop < 0 || columns_[i].importance < columns_[static_cast<size_t>(drop)].importance)
        drop = static_cast<int>(i);
    }
    if (drop < 0) break;
    natural[static_cast<size_t>(drop)] = least[static_cast<size_t>(drop)] = kLeftOut;
  }
  ShrinkEvenly(LineWidth(natural) - width, least, &natural);
  return natural;
}

std::string Table::Render(const Terminal& terminal) const {
  std::vector<int> widths = ChooseWidths(terminal.width);
  // What even the essential columns at their least take too much is cut from the right.
  for (size_t i = widths.size(); i-- > 0 && terminal.width > 0 && LineWidth(widths) > terminal.width;) {
    if (widths[i] != kLeftOut) widths[i] = std::max(1, widths[i] - (LineWidth(widths) - terminal.width));
  }
  std::string out;
  const auto add_line = [&](auto&& text_of, auto&& style_of) {
    size_t last = 0;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] != kLeftOut && !text_of(i).empty()) last = i;
    }
    std::string line;
    for (size_t i = 0; i <= last; ++i) {
      if (widths[i] == kLeftOut) continue;
      if (!line.empty()) line += std::string(kColumnGap, ' ');
      const std::string text = Padded(Shorten(text_of(i), widths[i]), widths[i], columns_[i].align, i == last);
      line += Paint(text, style_of(i), terminal);
    }
    out += line + "\n";
  };
  add_line([&](size_t i) { return columns_[i].title; }, [](size_t) { return Style::kBold; });
  for (const std::vector<Cell>& row : rows_) {
    add_line([&](size_t i) { return row[i].text; }, [&](size_t i) { return row[i].style; });
  }
  return out;
}

}  // namespace fleetmark
