#pragma once

#include "coordinator/core_state.h"

namespace fleetmark {

// Checks the whole request against what the agents described, then makes the job and its runs (target x device x
// repetition) or refuses with what is wrong and what there is.
void OnSubmit(StepContext& step, const SubmitAsked& event);

}  // namespace fleetmark
