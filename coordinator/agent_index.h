#pragma once

#include <string>
#include <vector>

#include "coordinator/core_state.h"

// Indexes over the agents, so that an event costs what it changes and not how large the fleet is. Whatever could change
// an agent touches it; at the end of each Step the touched ones are entered anew. All of it follows from the agents and
// their attempts: FindIndexFault compares it with a walk over everything.
namespace fleetmark {

// FindAgent, FindAgentByName, FindAttempt, Enqueue and TakeDueAgents do this for their callers.
void Touch(CoreState& state, Agent& agent);
// Enters every touched agent as it is now, and begins anew.
void ReindexTouched(CoreState& state, int64_t now_ns);

// The agent that the Describe with this number was sent to; nullptr when nobody waits for its answer.
Agent* FindDialled(CoreState& state, uint64_t call);

// Those with a deadline that has come, by id, touched.
std::vector<Agent*> TakeDueAgents(CoreState& state, int64_t now_ns);
// The first deadline of all; kNever for none.
int64_t FirstDeadline(const CoreState& state);

// One sentence about the first index that is not what a full walk gives, or about a machine that is free and was not
// given the run that waits for it; "" when all is well. To be asked between Steps, with the time of the last one.
std::string FindIndexFault(const CoreState& state, int64_t now_ns);

}  // namespace fleetmark
