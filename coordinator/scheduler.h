#pragma once

#include <optional>

#include "coordinator/core_state.h"

namespace fleetmark {

// Gives every machine that is free the run that comes first for it: by priority, then age, then repetition, whether the
// run is pinned to it or may go anywhere. Puts off the machines that are left when it gave as many runs as one Step
// may.
void Schedule(StepContext& step);

// Touches as many of the machines that were put off as one Step may give runs to.
void TakeUpPutOff(CoreState& state);

// Whether the machine has no run and takes one, now or after the pause that follows a refusal.
bool HasRoom(const Agent& agent);

// What Schedule gives it next, and on which device; nullptr while the machine is not free or nothing waits for it.
Run* FirstRunFor(const CoreState& state, const Agent& agent, int64_t now_ns, std::string* device);

// The device of this agent that an "any" run would use; nothing when it cannot run there.
std::optional<std::string> DeviceForAny(const Agent& agent, const Run& run);

// Whether an attempt occupies the machine. One whose report is ready does not.
bool OccupiesMachine(const Attempt& attempt);

// From 1, among the runs that wait for the same machine; 0 when it does not wait.
int QueuePosition(const CoreState& state, const Run& run);

// When a refusal's pause ends; kNever for no pause.
int64_t NextScheduleDeadline(const Agent& agent, int64_t now_ns);

}  // namespace fleetmark
