#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListAgents(Coordinator& coordinator, const v1::ListAgentsRequest&, v1::ListAgentsResponse* response) {
  coordinator.loop().View([&](const CoordinatorCore& core, Moment now) {
    for (v1::AgentInfo& agent : core.Agents(now)) response->add_agents()->Swap(&agent);
  });
  return OkStatus();
}

}  // namespace fleetmark
