#pragma once

#include "coordinator/core_state.h"

// Attempts that an agent has and the store has never heard of. StartRun leaves only after its attempt was committed, so
// that happens after a restore from a backup alone: they were begun after it. One whose run still waits for an attempt
// becomes that attempt, as it stands there, under way or with its report ready: nothing is measured twice.
namespace fleetmark {

// Whether a run waits that this attempt can be of: the same spec, and for this machine.
bool IsAdoptable(CoreState& state, const Agent& agent, const v1::AttemptStatus& status);

// Only of what is adoptable and not in the store. From here on it is an attempt as any other.
Attempt& Adopt(StepContext& step, Agent& agent, const v1::AttemptStatus& status);

// True for an attempt that was dispatched before its store's backup was restored: the agent may have been rid of its
// report by an ack that this store does not remember.
bool IsFromBeforeRestore(const CoreState& state, const AttemptRecord& attempt);

// For how long after the start of the core no run for "any" machine may be dispatched: until each attempt that it does
// not know of has ended with its lease. 0 but for the first day after a restore.
int64_t HoldAnyRunsNs(const CoreConfig& config, Moment now);

}  // namespace fleetmark
