#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status RemoveAgent(Coordinator& coordinator, const v1::RemoveAgentRequest& request, v1::AgentInfo* response) {
  RemoveAgentAsked asked;
  asked.name = request.name();
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  coordinator.loop().View(
      [&](const CoordinatorCore& core, Moment now) { *response = core.AgentById(reply.agent_id, now); });
  response->set_reason("removed; its results are kept");
  return OkStatus();
}

}  // namespace fleetmark
