#pragma once

#include <optional>
#include <string>

#include "agent/event_collector.h"
#include "agent/run_log.h"
#include "agent/sampler/cost.h"
#include "agent/worker_process.h"
#include "common/host_info.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// What the agent saw around one worker. Times are from a monotonic clock, in seconds; loads and counts below 0 are
// not known.
struct WorkerObservation {
  WorkerProcess::Exit exit;
  bool was_signalled = false;  // by this agent
  double wall_s = 0;           // from the opening of its gate
  double spawn_to_main_s = 0;
  double load1_before = -1;
  double load1_after = -1;
  double oom_kills = -1;                     // by the kernel, of any process, while the worker ran
  HostInfo host;                             // as it was at the start
  std::string device;                        // that the run was for, "cuda:0"
  std::optional<v1::Telemetry> telemetry;    // absent where it was not asked for
  std::optional<BlockSchedule> alternating;  // where it was sampled in turns
};

// The report as the worker alone decides it: outcome "succeeded" or "failed", and why. What the worker left out and the
// agent knows better (load, memory, the host) is filled in, and all of it judged.
v1::AttemptReport DraftReport(const WorkerObservation& observation, const EventCollector& events, const RunLog& log);

// Bytes that are no UTF-8 are replaced by '?': a worker may print anything, a proto string may not hold it.
std::string ValidUtf8(std::string text);

}  // namespace fleetmark::agent
