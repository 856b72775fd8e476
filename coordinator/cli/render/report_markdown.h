#pragma once

#include <string>
#include <string_view>

#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// A report as Markdown with GitHub's tables, without its pictures.
std::string RenderReportMarkdown(const v1::ReportDocument& document);

// `text` from elsewhere as text of Markdown, also within a cell of a table.
std::string EscapeMarkdown(std::string_view text);

}  // namespace fleetmark
