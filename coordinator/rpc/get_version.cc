#include "common/build_info.h"
#include "common/protocol_version.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status GetVersion(Coordinator& coordinator, const v1::GetVersionRequest&, v1::VersionInfo* response) {
  const BuildInfo& build = GetBuildInfo();
  response->set_version(std::string(build.version));
  response->set_git_revision(std::string(build.git_revision));
  response->set_protocol_min(SpokenProtocols().min);
  response->set_protocol_max(SpokenProtocols().max);
  response->set_cluster_id(coordinator.epoch().cluster_id);
  response->set_coordinator_epoch(coordinator.epoch().coordinator_epoch);
  response->set_schema_version(coordinator.schema_version());
  return OkStatus();
}

}  // namespace fleetmark
