#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"

namespace fleetmark {

// How a call fails whose connection broke.
Status Lost();

// What a scripted agent does with the next StartRun.
enum class OnStart {
  kRun,          // accept and answer "running"
  kRefuse,       // answer "device_busy", until it is changed
  kLoseRequest,  // once: it never arrives, and the caller learns nothing
  kLoseAnswer,   // once: it arrives and runs, and the caller learns nothing
};

// An agent as its protocol describes it, without a process behind it. It checks what every agent must be able to rely
// on: fences never go back, an ack names the bytes that it reported.
struct ScriptedAgent {
  explicit ScriptedAgent(const std::string& name);

  // What a restart or the loss of its state directory does.
  void Restart();
  void LoseJournal();

  void TakeFence(const v1::Fence& fence);
  // UNAVAILABLE where the request or its answer is lost.
  StatusOr<v1::AttemptStatus> TakeStart(const v1::StartRunRequest& request);
  StatusOr<v1::AttemptStatus> TakeCancel(const v1::CancelRunRequest& request);
  // What it has, by a clock of its own that is 5,000 s ahead of `now`.
  v1::SyncResponse SyncAnswer(const Moment& now) const;
  // The attempt that it runs now; "" when none.
  std::string Running() const;

  void Report(const std::string& attempt_id, const std::string& outcome, bool retryable = false);
  // Replaces what it reported by other bytes.
  void ReportOtherBytes(const std::string& attempt_id);

  v1::AgentDescription description;
  std::string address;
  bool is_up = true;
  bool is_silent = false;  // takes calls and never answers
  OnStart on_start = OnStart::kRun;
  int failing_cancels = 0;    // so many more, for its disk is full
  bool cuts_reports = false;  // sends bytes that do not have the hash
  std::string not_accepting;
  bool draining = false;

  std::map<std::string, v1::AttemptStatus> attempts;
  std::map<std::string, std::string> reports;  // attempt id -> bytes, until they are acknowledged
  std::vector<v1::StartRunRequest> starts;     // that arrived
  std::vector<std::string> cancels;            // attempt ids
  std::set<std::string> desired;               // of the last Sync
  v1::Lease lease;                             // of the last Sync
  int revision = 1;
  double last_seq = -1;
  int last_epoch = 0;
};

}  // namespace fleetmark
