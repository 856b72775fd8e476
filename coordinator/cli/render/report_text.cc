#include "coordinator/cli/render/report_text.h"

#include <algorithm>

#include "common/time_text.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

Style RowStyle(const std::string& kind) {
  return kind == "flagged" ? Style::kWarning : kind == "published" ? Style::kDim : Style::kPlain;
}

std::string TableText(const v1::ReportTable& table, const Terminal& terminal) {
  std::vector<Column> columns;
  for (const v1::ReportColumn& column : table.columns()) {
    columns.push_back({Printable(column.title()), column.importance(), column.least_width(),
                       column.is_number() ? Align::kRight : Align::kLeft});
  }
  Table rendered(std::move(columns));
  for (const v1::ReportRow& row : table.rows()) {
    std::vector<Cell> cells;
    for (const std::string& cell : row.cells()) cells.emplace_back(cell, RowStyle(row.kind()));
    rendered.AddRow(std::move(cells));
  }
  const std::string title =
      table.title().empty() ? ""
                            : Paint(Wrap(Printable(table.title()), terminal.width, 0), Style::kBold, terminal) + "\n";
  return title + rendered.Render(terminal);
}

}  // namespace

bool HasText(const v1::ReportSection& section) {
  return std::any_of(section.blocks().begin(), section.blocks().end(),
                     [](const v1::ReportBlock& block) { return !block.has_chart(); });
}

std::string RenderReportText(const v1::ReportDocument& document, const Terminal& terminal) {
  std::string text =
      Paint(Printable(document.title()), Style::kBold, terminal) + ", " + FormatTime(document.made_unix_s()) + "\n";
  bool has_charts = false;
  for (const v1::ReportSection& section : document.sections()) {
    const bool has_text = HasText(section);
    if (has_text)
      text += "\n" + Paint(Wrap(Printable(section.title()), terminal.width, 2), Style::kBold, terminal) + "\n";
    bool follows_paragraph = true;
    for (const v1::ReportBlock& block : section.blocks()) {
      has_charts |= block.has_chart();
      if (block.has_chart()) continue;
      if (!follows_paragraph || block.has_table()) text += "\n";
      text += block.has_table() ? TableText(block.table(), terminal)
                                : Wrap(Printable(block.paragraph()), terminal.width, 2) + "\n";
      follows_paragraph = !block.has_table();
    }
  }
  if (has_charts) text += "\n" + Wrap("Pictures of it: --format html --output report.html", terminal.width, 2) + "\n";
  return text;
}

}  // namespace fleetmark
