#include "coordinator/descent.h"

#include <algorithm>

namespace fleetmark {
namespace {

constexpr double k2020UnixS = 1'577'836'800;
constexpr double kRestoredEpochS = 10;
constexpr char kRestoreHint[] =
    "run the coordinator on the newest copy of its state directory; if that is lost, restore a backup with "
    "fleetmark-coordinator restore";

// An older agent does not say whom it obeyed; a store from before there were backups knows only its newer epochs.
bool IsPast(const std::vector<PastEpoch>& past, int epoch, const std::string& instance_id) {
  if (epoch == 0 || instance_id.empty() || past.empty() || epoch < past.front().coordinator_epoch) return true;
  return std::any_of(past.begin(), past.end(), [&](const PastEpoch& one) {
    if (one.restored_from > 0) return epoch < one.coordinator_epoch;
    return one.coordinator_epoch == epoch && one.instance_id == instance_id;
  });
}

}  // namespace

int EpochOfRestore(int epoch_of_backup, int at_least, double unix_s) {
  return std::max({epoch_of_backup + 1, at_least, static_cast<int>((unix_s - k2020UnixS) / kRestoredEpochS)});
}

Status CheckDescent(const Epoch& epoch, const v1::AgentDescription& agent) {
  const int seen = agent.max_coordinator_epoch_seen();
  if (seen > epoch.coordinator_epoch) {
    return FailedPrecondition("agent " + agent.name() + " has seen coordinator epoch " + std::to_string(seen) +
                                  ", newer than this coordinator's " + std::to_string(epoch.coordinator_epoch) +
                                  ": this state directory is an older copy",
                              kRestoreHint, "old_epoch");
  }
  if (!IsPast(epoch.past, seen, agent.coordinator_instance_id_seen())) {
    return FailedPrecondition("agent " + agent.name() + " obeys another coordinator of this cluster, of epoch " +
                                  std::to_string(seen) + ": this state directory is a copy of that one's",
                              kRestoreHint, "other_coordinator");
  }
  return OkStatus();
}

}  // namespace fleetmark
