#include "agent/fence.h"

#include <cmath>
#include <string>
#include <tuple>

namespace fleetmark::agent {

Status CheckFence(const FenceRecord& highest, const v1::Fence& fence) {
  if (fence.cluster_id().empty() || fence.coordinator_instance_id().empty() || fence.coordinator_epoch() < 1) {
    return InvalidArgument("the call's fence lacks cluster_id, coordinator_epoch or coordinator_instance_id");
  }
  // NaN compares with nothing, and after infinity nothing would come.
  if (!std::isfinite(fence.seq())) return InvalidArgument("the call's fence has a seq that is no number");
  if (highest.cluster_id.empty()) return OkStatus();
  if (fence.cluster_id() != highest.cluster_id) {
    return FailedPrecondition(
        "this agent belongs to cluster " + highest.cluster_id + " and was called by cluster " + fence.cluster_id(),
        "to move it, stop the agent, run `fleetmark-agent leave` with its --state-dir, and start it again",
        "other_cluster");
  }
  if (fence.coordinator_epoch() == highest.coordinator_epoch &&
      fence.coordinator_instance_id() != highest.coordinator_instance_id) {
    return FailedPrecondition("two coordinators call themselves epoch " + std::to_string(fence.coordinator_epoch()) +
                                  " of cluster " + fence.cluster_id(),
                              "stop the copy that was restored beside the original", "other_coordinator");
  }
  if (std::make_tuple(fence.coordinator_epoch(), fence.seq()) <
      std::make_tuple(highest.coordinator_epoch, highest.seq)) {
    return FailedPrecondition("the call is older than one that this agent has already accepted", "", "stale_fence");
  }
  return OkStatus();
}

bool IsHigher(const FenceRecord& highest, const v1::Fence& fence) {
  return highest.cluster_id != fence.cluster_id() || fence.coordinator_epoch() > highest.coordinator_epoch ||
         fence.seq() > highest.seq;
}

FenceRecord ToRecord(const v1::Fence& fence) {
  return {fence.cluster_id(), fence.coordinator_epoch(), fence.coordinator_instance_id(), fence.seq()};
}

}  // namespace fleetmark::agent
