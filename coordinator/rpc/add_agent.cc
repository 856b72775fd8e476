#include "common/address.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status AddAgent(Coordinator& coordinator, const v1::AddAgentRequest& request, v1::AgentInfo* response) {
  FLEETMARK_RETURN_IF_ERROR(ParseAddress(request.address(), "the agent's address").status());
  AddAgentAsked asked;
  asked.address = request.address();
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  coordinator.loop().View(
      [&](const CoordinatorCore& core, Moment now) { *response = core.AgentById(reply.agent_id, now); });
  return OkStatus();
}

}  // namespace fleetmark
