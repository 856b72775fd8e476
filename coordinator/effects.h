#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/status.h"
#include "coordinator/store.h"

// What the core wants done. The writes commit first; then, and only if they did, the rest happens in order.
namespace fleetmark {

struct DescribeCall {
  uint64_t call = 0;
  std::string address;
};
struct SyncCall {
  uint64_t call = 0;
  std::string agent_id;
  std::string address;
  v1::SyncRequest request;
};
// Ends the Sync that is under way; its answer still comes, as a failure or not.
struct EndSync {
  uint64_t call = 0;
};
// StartRun, CancelRun and Drain; one at a time to each agent, because the agent refuses what arrives out of order.
struct OrderCall {
  std::string agent_id;
  std::string address;
  std::variant<v1::StartRunRequest, v1::CancelRunRequest, v1::DrainRequest> request;
};
// The report with this hash, and the log when the report says that there is one.
struct FetchCall {
  std::string agent_id;
  std::string address;
  std::string attempt_id;
  std::string sha256;
};
struct LookUp {
  std::string agent_id;
  std::string attempt_id;
};
// Try this address anew at the next call, without the pause that follows failures.
struct ResetConnection {
  std::string address;
};
using Call = std::variant<DescribeCall, SyncCall, EndSync, OrderCall, FetchCall, LookUp, ResetConnection>;

// The end of a request. `agent_id` answers AddAgent, RemoveAgent and Drain, `submitted` a Submit, `profiles`
// KeepProfiles and ForgetProfiles.
struct Reply {
  uint64_t reply = 0;
  Status status;
  std::string agent_id;
  v1::SubmitResponse submitted;
  std::vector<v1::TunedProfile> profiles = {};
};

enum class Severity { kInfo, kWarning, kError };
struct LogLine {
  Severity severity = Severity::kInfo;
  std::string text;
};

struct Effects {
  std::vector<Write> writes;
  std::vector<Call> calls;
  std::vector<Reply> replies;
  std::vector<std::string> changed_runs;  // ids, for those who watch
  std::vector<LogLine> log;
};

}  // namespace fleetmark
