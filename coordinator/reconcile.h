#pragma once

#include "coordinator/core_state.h"

namespace fleetmark {

// Compares what the agent says it has with what is expected of it, and orders what follows from the difference. `call`
// is the Sync that was answered. Level-triggered: the same answer twice is harmless.
void Reconcile(StepContext& step, Agent& agent, uint64_t call, const v1::SyncResponse& response);

}  // namespace fleetmark
