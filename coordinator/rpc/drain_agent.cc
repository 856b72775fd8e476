#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status DrainAgent(Coordinator& coordinator, const v1::DrainAgentRequest& request, v1::AgentInfo* response) {
  DrainAsked asked;
  asked.name = request.name();
  asked.on = request.on();
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  coordinator.loop().View(
      [&](const CoordinatorCore& core, Moment now) { *response = core.AgentById(reply.agent_id, now); });
  return OkStatus();
}

}  // namespace fleetmark
