#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// Everything about one run, for people: state, result with all statistics, epochs, verdict with its evidence, usage,
// environment, attempts, and, where it failed, why, what to do, and what the worker last wrote.
std::string RenderRunReport(const v1::RunInfo& run, const Terminal& terminal);

}  // namespace fleetmark
