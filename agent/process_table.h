#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "agent/attempt.h"
#include "common/status.h"

namespace fleetmark::agent {

// The environment variable that names the attempt a process works for. It marks a worker and everything that descends
// from it, also what left its process group or outlived the agent.
inline constexpr char kAttemptVariable[] = "FLEETMARK_ATTEMPT";

// Who `pid` is now; NOT_FOUND when there is no such process.
StatusOr<ProcessIdentity> IdentifyProcess(int pid, const std::string& boot_id);

// Kills every process of this user that carries the mark of `attempt_id`, and waits until none is left; false when some
// still are after `timeout_s`. Takes a few milliseconds when there is none.
bool KillProcessesOf(std::string_view attempt_id, double timeout_s);

// The process as SPAWNED recorded it, its group and all that carries the mark. A process that is not the recorded one
// is never touched. False when something is still alive after `timeout_s`.
bool KillStaleProcesses(std::string_view attempt_id, const ProcessIdentity& process, double timeout_s);

// The workers among the children of this process; every other child is something that a worker left behind.
// Thread-safe.
class LiveWorkers {
 public:
  void Add(int pid);
  void Remove(int pid);
  // Kills and reaps what the worker of `attempt_id` left behind, also what goes on forking away from its killer, until
  // this process has no other children than live workers; false when it still has after `timeout_s`.
  [[nodiscard]] bool EndStrays(std::string_view attempt_id, double timeout_s);

 private:
  // False when a child is alive that is no worker.
  bool ReapStrays();

  std::mutex mutex_;
  std::set<int> pids_;
};

}  // namespace fleetmark::agent
