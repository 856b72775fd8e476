#pragma once

#include <string>

#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// A report as one HTML file with its pictures: it loads nothing, runs nothing, follows the reader's choice of light or
// dark, and prints. It is well-formed XML but for its first line.
std::string RenderReportHtml(const v1::ReportDocument& document);

}  // namespace fleetmark
