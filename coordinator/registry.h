#pragma once

#include <string>

#include "common/status.h"
#include "coordinator/core_state.h"

// Which agents there are: joining, moving, leaving. Every address is called back before it is believed.
namespace fleetmark {

void OnAddAgent(StepContext& step, const AddAgentAsked& event);
void OnRemoveAgent(StepContext& step, const RemoveAgentAsked& event);
void OnDrain(StepContext& step, const DrainAsked& event);
// The answer to a Describe that an admission asked for; false when the call belongs to none.
bool OnAdmissionDescribed(StepContext& step, const Described& event);

// NOT_FOUND with the nearest name for an agent that there is not, or not any more.
StatusOr<Agent*> NamedAgent(CoreState& state, const std::string& name);
StatusOr<const Agent*> NamedAgent(const CoreState& state, const std::string& name);

// The protocol version that is spoken with it.
StatusOr<int> ProtocolWith(const v1::AgentDescription& description);
// Whether there is one, and whether it belongs to this cluster.
Status CheckCompatible(const CoreState& state, const v1::AgentDescription& description);

// Takes over what the agent says of itself, and stores it.
void AdoptDescription(StepContext& step, Agent& agent, const v1::AgentDescription& description);

}  // namespace fleetmark
