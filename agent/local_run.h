#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/agent_loop.h"
#include "common/status.h"

namespace fleetmark::agent {

struct LocalRunRequest {
  std::string workload;
  std::map<std::string, std::string> parameters;
  std::string runtime;
  std::string device;  // "" for the machine's best: cuda where there is one, else cpu
  std::string profile;
  std::string telemetry;  // as StartRunRequest.telemetry
  double timeout_s = 0;
};

// One run on this machine through the same loop as a coordinator's: a coordinator with one agent and one run.
// `on_event` gets what WatchRun would send; `is_interrupted` is asked a few times a second, and cancels the run once.
StatusOr<v1::AttemptReport> RunLocally(AgentLoop* loop, const LocalRunRequest& request,
                                       const std::function<void(const v1::RunEvent&)>& on_event,
                                       const std::function<bool()>& is_interrupted);

}  // namespace fleetmark::agent
