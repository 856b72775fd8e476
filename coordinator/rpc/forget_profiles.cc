#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ForgetProfiles(Coordinator& coordinator, const v1::ProfileFilter& request, v1::ListProfilesResponse* response) {
  ForgetProfilesAsked asked;
  asked.filter = request;
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  *response->mutable_profiles() = {reply.profiles.begin(), reply.profiles.end()};
  return OkStatus();
}

}  // namespace fleetmark
