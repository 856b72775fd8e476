#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// A line for each series over the measured part, those of single CPUs folded into one; then the sensors that could not
// be read, and why, and what sampling cost where that was measured.
std::string RenderTelemetry(const v1::Telemetry& telemetry, const Terminal& terminal);

}  // namespace fleetmark
