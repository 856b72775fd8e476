#pragma once

#include "coordinator/core_state.h"

// From "the agent has a report" to "it is stored and acknowledged".
//
// A report for an attempt that the core no longer follows is looked up in the store: the same bytes are acknowledged
// again; other bytes are kept beside the first as a conflict; the first report of an attempt that ended without one
// (its lease ran out) is stored with it, and is the run's result only while that run is still queued; one of an attempt
// that the store never heard of is kept apart. In each case the agent gets its ack only after the commit.
namespace fleetmark {

// Fetches the report unless that is under way or its pause has not passed.
void FetchIfDue(StepContext& step, Agent& agent, Attempt& attempt);
// The agent lists an attempt that the core does not follow. `sha256` is of the report that it offers; "" when it is
// under way, and a run waits that it may be of (adoption.h).
void OfferStray(StepContext& step, Agent& agent, const v1::AttemptStatus& status, const std::string& sha256);
void OnFetched(StepContext& step, const Fetched& event);
void OnLookedUp(StepContext& step, const LookedUp& event);

void TickIntake(StepContext& step, Agent& agent);
// kNever for none.
int64_t NextIntakeDeadline(const Agent& agent);

}  // namespace fleetmark
