#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListProfiles(Coordinator& coordinator, const v1::ProfileFilter& request, v1::ListProfilesResponse* response) {
  StatusOr<std::vector<v1::TunedProfile>> profiles = Unavailable("the coordinator is stopping");
  coordinator.loop().View([&](const CoordinatorCore& core, Moment) { profiles = core.Profiles(request); });
  if (!profiles.ok()) return profiles.status();
  *response->mutable_profiles() = {profiles->begin(), profiles->end()};
  return OkStatus();
}

}  // namespace fleetmark
