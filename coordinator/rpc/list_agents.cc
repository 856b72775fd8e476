#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListAgents(Coordinator& coordinator, const v1::ListAgentsRequest& request, v1::ListAgentsResponse* response) {
  coordinator.loop().View([&](const CoordinatorCore& core, Moment now) {
    for (v1::AgentInfo& agent : core.Agents(now, request)) response->add_agents()->Swap(&agent);
  });
  return OkStatus();
}

}  // namespace fleetmark
