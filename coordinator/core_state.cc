#include "coordinator/core_state.h"

#include <algorithm>
#include <cmath>

#include "coordinator/agent_index.h"

namespace fleetmark {

Agent* FindAgent(CoreState& state, const std::string& agent_id) {
  const auto found = state.agents.find(agent_id);
  if (found == state.agents.end()) return nullptr;
  Touch(state, *found->second);
  return found->second.get();
}

const Agent* FindAgentByName(const CoreState& state, const std::string& name) {
  const auto found = state.agents_by_name.find(name);
  return found == state.agents_by_name.end() ? nullptr : found->second;
}

Agent* FindAgentByName(CoreState& state, const std::string& name) {
  const auto found = state.agents_by_name.find(name);
  if (found == state.agents_by_name.end()) return nullptr;
  Touch(state, *found->second);
  return found->second;
}

Attempt* FindAttempt(CoreState& state, const std::string& attempt_id) {
  const auto found = state.attempts.find(attempt_id);
  if (found == state.attempts.end()) return nullptr;
  FindAgent(state, found->second->record.agent_id);
  return found->second.get();
}

Run* FindRun(CoreState& state, const std::string& run_id) {
  const auto found = state.runs.find(run_id);
  return found == state.runs.end() ? nullptr : found->second.get();
}

int64_t BackoffNs(int failures, double first_s, double most_s) {
  const double doubled = first_s * std::exp2(std::clamp(failures - 1, 0, 20));
  return SecondsToNanos(std::min(doubled, most_s));
}

}  // namespace fleetmark
