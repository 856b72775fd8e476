#include "common/address.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status Register(Coordinator& coordinator, const v1::RegisterRequest& request, v1::RegisterResponse* response) {
  FLEETMARK_RETURN_IF_ERROR(ParseAddress(request.advertised_address(), "--advertise").status());
  AddAgentAsked asked;
  asked.address = request.advertised_address();
  asked.claimed = request.description();
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  response->set_cluster_id(coordinator.epoch().cluster_id);
  coordinator.loop().View([&](const CoordinatorCore& core, Moment now) {
    response->set_agent_name(core.AgentById(reply.agent_id, now).name());
  });
  return OkStatus();
}

}  // namespace fleetmark
