#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// Everything that went into a run's verdict, so that a sceptic can derive it again from `fleetmark export`: the verdict
// with all of its evidence, how steady the speed was, the ceilings that it was compared with, and what the machine did
// meanwhile. For a run with a result.
std::string RenderEvidence(const v1::RunInfo& run, const Terminal& terminal);

}  // namespace fleetmark
