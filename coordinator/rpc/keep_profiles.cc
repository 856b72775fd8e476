#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status KeepProfiles(Coordinator& coordinator, const v1::KeepProfilesRequest& request,
                    v1::KeepProfilesResponse* response) {
  KeepProfilesAsked asked;
  asked.profiles = {request.profiles().begin(), request.profiles().end()};
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  *response->mutable_profiles() = {reply.profiles.begin(), reply.profiles.end()};
  return OkStatus();
}

}  // namespace fleetmark
