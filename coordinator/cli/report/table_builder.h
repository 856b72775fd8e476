#pragma once

#include <string>
#include <vector>

#include "coordinator/cli/render/table.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// What a row of a report is; how each is shown is the renderers' affair.
inline constexpr char kMeasuredRow[] = "measured";
inline constexpr char kFlaggedRow[] = "flagged";
inline constexpr char kPublishedRow[] = "published";

// What stands in a cell whose value nobody measured: never a 0.
inline constexpr char kNotMeasured[] = "not measured";

// Builds a table of a report with the columns that a table in the terminal has.
class TableBuilder {
 public:
  TableBuilder(const std::string& title, const std::vector<Column>& columns);

  // As many cells as there are columns.
  void AddRow(const std::string& kind, std::vector<std::string> cells);
  // Columns without any content are left out, and a table without rows is none.
  void AppendTo(v1::ReportSection* section);

 private:
  v1::ReportTable table_;
};

void AddParagraph(const std::string& text, v1::ReportSection* section);

}  // namespace fleetmark
