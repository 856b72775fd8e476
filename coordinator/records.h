#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/shared_runtimes.h"
#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/coordinator.pb.h"

// What the store keeps and the core works with, one struct a table. Times are Unix seconds, 0 when not yet.
namespace fleetmark {

enum class RunState { kQueued, kRunning, kSucceeded, kFailed, kCancelled, kTimedOut, kInterrupted };

// How far an attempt got. It has ended when it is kStored or kRefused, or when `outcome` is set without a report.
enum class AttemptState { kDispatched, kRunning, kResultReady, kStored, kRefused };

// The words of the proto: "timed_out", "result_ready".
std::string_view RunStateName(RunState state);
std::string_view AttemptStateName(AttemptState state);
// Nothing for a word that is not one of them.
std::optional<RunState> ParseRunState(std::string_view name);
std::optional<AttemptState> ParseAttemptState(std::string_view name);
inline bool IsTerminal(RunState state) { return state != RunState::kQueued && state != RunState::kRunning; }

struct AgentRecord {
  std::string agent_id;
  std::string address;
  v1::AgentDescription description;  // the last one it gave, without its runtimes; names the agent
  std::shared_ptr<const Runtimes> runtimes = std::make_shared<const Runtimes>();  // which stand here
  bool draining = false;                                                          // as a person wants it
  bool removed = false;                                                           // kept for its history
  double offline_since_unix_s = 0;                                                // 0 while it is reachable
  double last_seen_unix_s = 0;
};

struct JobRecord {
  std::string job_id;
  int64_t sequence = 0;  // order of submission
  v1::SubmitRequest request;
  double submitted_unix_s = 0;
};

struct RunRecord {
  std::string run_id;
  std::string job_id;
  int index = 0;  // within its job, from 0
  int repetition = 1;
  std::string target_agent_id;  // the machine it is pinned to; "" when any will do
  std::string agent_id;         // the machine it is placed on; "" while it is not
  v1::RunSpec spec;             // device "" while it is not placed
  std::string device_kind;      // of spec.device
  std::string board;            // BoardKey of its workload and parameters
  std::string overrides;        // OverridesKey of the same and its profile
  RunState state = RunState::kQueued;
  double started_unix_s = 0;
  double finished_unix_s = 0;
  v1::Failure failure;
  int attempts = 0;  // made so far, refused ones included
  int retries_used = 0;
  bool cancel_requested = false;
  std::string cancel_reason;
};

struct AttemptRecord {
  std::string attempt_id;
  std::string run_id;
  int number = 1;
  std::string agent_id;
  std::string incarnation;  // of the agent it was planned for
  bool kill_on_disconnect = false;
  AttemptState state = AttemptState::kDispatched;
  std::string outcome;  // once it has one
  v1::Failure failure;
  double dispatched_unix_s = 0;
  double started_unix_s = 0;
  double finished_unix_s = 0;
  int exit_code = 0;
  std::string signal;
  std::string stderr_tail;
  std::string report_sha256;
  v1::BootTime start_by;  // the agent starts it no later than this
};

// A workload as one runtime describes it.
struct WorkloadRecord {
  std::string runtime;
  v1::WorkloadSpec spec;
};

// What a tuned profile is for. Another version of the workload, or another board, measures something else.
struct ProfileKey {
  std::string agent_id;
  std::string device_uuid;
  std::string runtime;
  std::string workload;
  int workload_version = 0;
  std::string board;

  auto operator<=>(const ProfileKey&) const = default;
};
ProfileKey KeyOf(const v1::TunedProfile& profile);

// What the core is rebuilt from: every agent and profile, and whatever has not ended.
struct StoredState {
  std::vector<AgentRecord> agents;
  std::vector<JobRecord> jobs;          // with active runs
  std::vector<RunRecord> runs;          // active, in order of submission
  std::vector<AttemptRecord> attempts;  // of active runs, not ended
  std::vector<v1::TunedProfile> profiles;
  int64_t next_job_sequence = 1;
};

}  // namespace fleetmark
