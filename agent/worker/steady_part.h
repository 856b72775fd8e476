#pragma once

#include "agent/worker/run_loop.h"

namespace fleetmark {

// Leaves out of `loop` what common/warmup.h finds behind the fixed warm-up: steps, samples, measured_s, step_s and
// totals are of the rest afterwards, warmup_steps and warmup_found count what was left out. What tells of the whole
// training stays: total_s, epochs, loss_so_far, first_call_s, stop_reason.
void KeepSteadyPart(LoopResult* loop);

}  // namespace fleetmark
