#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListAgents(Coordinator& coordinator, const v1::ListAgentsRequest& request, v1::ListAgentsResponse* response) {
  coordinator.loop().View([&](const CoordinatorCore& core, Moment now) { *response = core.Agents(now, request); });
  return OkStatus();
}

}  // namespace fleetmark
