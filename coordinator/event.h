#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/status.h"
#include "coordinator/records.h"

// What the core is told. Requests carry the number under which their answer leaves (effect Reply).
namespace fleetmark {

// An agent (with `claimed`) or a person (without) names an address.
struct AddAgentAsked {
  uint64_t reply = 0;
  std::string address;
  std::optional<v1::AgentDescription> claimed;
};
struct RemoveAgentAsked {
  uint64_t reply = 0;
  std::string name;
};
struct DrainAsked {
  uint64_t reply = 0;
  std::string name;
  bool on = false;
};
struct SubmitAsked {
  uint64_t reply = 0;
  v1::SubmitRequest request;  // with a request_id
};
struct CancelAsked {
  uint64_t reply = 0;
  std::vector<std::string> run_ids;  // whole ids; those that have ended are left as they are
  std::string reason;
};

// Both are answered with the profiles that they are about.
struct KeepProfilesAsked {
  uint64_t reply = 0;
  std::vector<v1::TunedProfile> profiles;  // as the caller of KeepProfiles fills them in
};
struct ForgetProfilesAsked {
  uint64_t reply = 0;
  v1::ProfileFilter filter;
};

// Answers of agents. `status` is the failure, or OK with the answer.
struct Described {
  uint64_t call = 0;  // of the DescribeCall
  Status status;
  v1::AgentDescription description;
};
struct Synced {
  uint64_t call = 0;  // of the SyncCall
  std::string agent_id;
  Status status;
  v1::SyncResponse response;
};
// To the StartRun, CancelRun or Drain that is under way to this agent.
struct OrderAnswered {
  std::string agent_id;
  Status status;
  v1::AttemptStatus attempt;  // of StartRun and CancelRun
};
struct Fetched {
  std::string agent_id;
  std::string attempt_id;
  std::string sha256;  // the bytes have it
  Status status;
  std::string bytes;
  std::string log;
};
// What the store has about an attempt that the core no longer follows.
struct LookedUp {
  std::string agent_id;
  std::string attempt_id;
  std::optional<AttemptRecord> attempt;
};
// Time passed: every deadline that has come is acted on, and some of what was put off. See CoordinatorCore::NextWakeup.
struct Ticked {};

using Event = std::variant<AddAgentAsked, RemoveAgentAsked, DrainAsked, SubmitAsked, CancelAsked, KeepProfilesAsked,
                           ForgetProfilesAsked, Described, Synced, OrderAnswered, Fetched, LookedUp, Ticked>;

}  // namespace fleetmark
