#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// "a step time is zero, negative or not finite": of such a series nothing is told of how the speed went
// (common/steadiness.h). "" where there is none.
std::string BadStepTimes(const v1::Result& result);

// Everything that went into a run's verdict, so that a sceptic can derive it again from `fleetmark export`: the verdict
// with all of its evidence, how steady the speed was, the ceilings that it was compared with, and what the machine did
// meanwhile. For a run with a result.
std::string RenderEvidence(const v1::RunInfo& run, const Terminal& terminal);

}  // namespace fleetmark
