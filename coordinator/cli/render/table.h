#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/cli/render/terminal.h"

namespace fleetmark {

enum class Align { kLeft, kRight };

// A column that every window shows, however narrow.
inline constexpr int kEssential = 1000;

struct Column {
  std::string title;
  // Where the window is too narrow, columns of the least importance go first.
  int importance = kEssential;
  // How far its values may be shortened before a column goes; 0 for never.
  int least_width = 0;
  Align align = Align::kLeft;
};

struct Cell {
  std::string text;
  Style style = Style::kPlain;

  Cell(std::string value) : text(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* value) : text(value) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string value, Style s) : text(std::move(value)), style(s) {}
};

// Rows under a line of titles. A column without any content is left out. In a terminal every line fits its width:
// values are shortened with an ellipsis, then the least important columns left out. Piped, everything is there in full.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Control characters are taken out.
  void AddRow(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }

  // Ends with a line break.
  std::string Render(const Terminal& terminal) const;

 private:
  std::vector<int> ChooseWidths(int width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace fleetmark
