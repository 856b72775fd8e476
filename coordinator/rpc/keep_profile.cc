#include <utility>

#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status KeepProfile(Coordinator& coordinator, const v1::TunedProfile& request, v1::TunedProfile* response) {
  KeepProfileAsked asked;
  asked.profile = request;
  Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  *response = std::move(reply.profiles.front());
  return OkStatus();
}

}  // namespace fleetmark
