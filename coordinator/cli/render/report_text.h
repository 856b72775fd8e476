#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// A report as people read it in a terminal, with everything but its pictures.
std::string RenderReportText(const v1::ReportDocument& document, const Terminal& terminal);

// Whether anything of the section is not a picture.
bool HasText(const v1::ReportSection& section);

}  // namespace fleetmark
