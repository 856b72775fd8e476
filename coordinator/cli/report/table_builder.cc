#include "coordinator/cli/report/table_builder.h"

#include <algorithm>
#include <cassert>

namespace fleetmark {

TableBuilder::TableBuilder(const std::string& title, const std::vector<Column>& columns) {
  table_.set_title(title);
  for (const Column& column : columns) {
    v1::ReportColumn& added = *table_.add_columns();
    added.set_title(column.title);
    added.set_is_number(column.align == Align::kRight);
    added.set_importance(column.importance);
    added.set_least_width(column.least_width);
  }
}

void TableBuilder::AddRow(const std::string& kind, std::vector<std::string> cells) {
  assert(static_cast<int>(cells.size()) == table_.columns_size());
  v1::ReportRow& row = *table_.add_rows();
  row.set_kind(kind);
  for (std::string& cell : cells) row.add_cells(std::move(cell));
}

void TableBuilder::AppendTo(v1::ReportSection* section) {
  if (table_.rows().empty()) return;
  for (int column = table_.columns_size() - 1; column >= 0; --column) {
    const auto is_empty = [column](const v1::ReportRow& row) { return row.cells(column).empty(); };
    if (!std::all_of(table_.rows().begin(), table_.rows().end(), is_empty)) continue;
    table_.mutable_columns()->DeleteSubrange(column, 1);
    for (v1::ReportRow& row : *table_.mutable_rows()) row.mutable_cells()->DeleteSubrange(column, 1);
  }
  *section->add_blocks()->mutable_table() = std::move(table_);
}

void AddParagraph(const std::string& text, v1::ReportSection* section) { section->add_blocks()->set_paragraph(text); }

}  // namespace fleetmark
