#pragma once

#include "coordinator/core_state.h"

// What happens to runs and attempts. Every change of state is made here, with the write that records it.
namespace fleetmark {

// How long the agent may take to get StartRun, by its own clock.
inline constexpr double kStartWithinS = 30;

// Plans and dispatches: the attempt is committed as DISPATCHED together with whatever led to it, then StartRun is sent.
// `device` is the name of one of the agent's devices.
void Dispatch(StepContext& step, Agent& agent, Run& run, const std::string& device);

// The first half of it, and all that an attempt needs that is at the agent already.
Attempt& PlaceAttempt(StepContext& step, Agent& agent, Run& run, const std::string& device,
                      const std::string& attempt_id);

// What the agent says about an attempt.
void ApplyStatus(StepContext& step, Agent& agent, Attempt& attempt, const v1::AttemptStatus& status);
// The agent has its report: the machine is free.
void MarkResultReady(StepContext& step, Attempt& attempt);
// It never spawned and never will: safe to try again. The run fails only when no try can go better.
void Refuse(StepContext& step, Attempt& attempt, const Status& status);
// It will never have a report.
void EndWithoutReport(StepContext& step, Attempt& attempt, const std::string& kind, const std::string& message);
// Of an agent out of reach: ends the KILL runs that its lease no longer covers. The next time that some may be; kNever
// for none.
void ExpireLease(StepContext& step, Agent& agent);
int64_t NextLeaseDeadline(const Agent& agent);
// Its report is stored (by the writes of this step).
void EndWithReport(StepContext& step, Attempt& attempt, const v1::AttemptReport& report, const std::string& sha256);

void OnCancel(StepContext& step, const CancelAsked& event);

void Enqueue(CoreState& state, Run& run);
// Nothing happens when it is not queued.
void Dequeue(CoreState& state, Run& run);
void FinishRun(StepContext& step, Run& run, RunState outcome, const v1::Failure& failure);

v1::Failure MakeFailure(const std::string& kind, const std::string& message, const std::string& hint = "");

}  // namespace fleetmark
