#pragma once

#include "coordinator/core_state.h"

// StartRun, CancelRun and Drain of one agent, one at a time: they carry growing seqs, and the agent refuses what
// arrives behind a later one.
namespace fleetmark {

v1::Fence MakeFence(const CoreState& state, int64_t seq);

void OrderStart(StepContext& step, Agent& agent, Attempt& attempt);
void OrderCancel(StepContext& step, Agent& agent, Attempt& attempt);
void OrderDrain(StepContext& step, Agent& agent);

void OnOrderAnswered(StepContext& step, const OrderAnswered& event);

// The agent is out of reach: what was not sent was never sent, what was under way is not known.
void AbandonOrders(StepContext& step, Agent& agent);

}  // namespace fleetmark
