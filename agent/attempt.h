#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fleetmark/v1/agent.pb.h"

// What an agent knows of its attempts and keeps in its journal.
namespace fleetmark::agent {

enum class AttemptState {
  kAccepted,     // journaled; its worker is not behind the open gate yet
  kRunning,      // SPAWNED is journaled and the gate is open
  kCancelling,   // somebody or something ends it; see EndCause
  kResultReady,  // its report is journaled and waits for the acknowledgement
};

// Why an attempt is ended before its worker says so. The first cause stands.
enum class EndCause { kNone, kCancelled, kTimedOut, kLeaseExpired, kAgentStopped, kAgentRestarted };

// A process that can be told from a later one with the same pid. `start_ticks` is field 22 of /proc/PID/stat.
struct ProcessIdentity {
  int pid = 0;
  int64_t start_ticks = 0;
  std::string boot_id;
};

struct Attempt {
  // Journaled.
  v1::StartRunRequest request;
  AttemptState state = AttemptState::kAccepted;
  EndCause cause = EndCause::kNone;
  std::string reason;
  double accepted_unix_s = 0;
  double started_unix_s = 0;  // 0 until it runs
  std::optional<ProcessIdentity> process;
  std::string report_sha256;  // once kResultReady
  double report_bytes = 0;
  // Of this process only; CLOCK_BOOTTIME in nanoseconds, 0 when not armed.
  int64_t runtime_deadline_ns = 0;
  int64_t kill_at_ns = 0;
};

// An attempt id that must never start (again) here: cancelled before it came, or pruned after its acknowledgement.
struct RetiredAttempt {
  bool is_tombstone = false;
  std::string reason;
  std::string spec_sha256;  // "" for a tombstone
  v1::BootTime keep_until;  // after it no StartRun for this id can be accepted any more
};

// The highest fence that was accepted. An empty cluster_id: no coordinator has called yet.
struct FenceRecord {
  std::string cluster_id;
  int coordinator_epoch = 0;
  std::string coordinator_instance_id;
  double seq = 0;
};

struct JournalContents {
  std::string incarnation;
  FenceRecord fence;
  bool is_draining = false;
  std::map<std::string, Attempt> attempts;
  std::map<std::string, RetiredAttempt> retired;
};

// One change of the journal. All writes of one batch of events are committed in one transaction.
struct PutAttempt {
  Attempt attempt;  // without a report
};
struct PutReport {
  std::string attempt_id;
  std::string sha256;
  std::string bytes;  // a serialized v1::AttemptReport
};
struct RetireAttempt {  // takes the attempt and its report out, if it was there
  std::string attempt_id;
  RetiredAttempt retired;
};
struct ForgetRetired {
  std::string attempt_id;
};
struct PutFence {
  FenceRecord fence;
};
struct PutDraining {
  bool is_draining;
};
using JournalWrite = std::variant<PutAttempt, PutReport, RetireAttempt, ForgetRetired, PutFence, PutDraining>;

// "accepted", "running", "cancelling", "result_ready"; as AttemptStatus.state has it.
std::string_view StateName(AttemptState state);

}  // namespace fleetmark::agent
