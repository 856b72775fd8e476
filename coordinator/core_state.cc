#include "coordinator/core_state.h"

#include <algorithm>
#include <cmath>

namespace fleetmark {

Agent* FindAgent(CoreState& state, const std::string& agent_id) {
  const auto found = state.agents.find(agent_id);
  return found == state.agents.end() ? nullptr : found->second.get();
}

namespace {

// Of both kinds of state, so that the agent is as const as the state is.
Agent* ByName(const std::map<std::string, std::unique_ptr<Agent>>& agents, const std::string& name) {
  for (const auto& [id, agent] : agents) {
    if (!agent->record.removed && agent->name() == name) return agent.get();
  }
  return nullptr;
}

}  // namespace

Agent* FindAgentByName(CoreState& state, const std::string& name) { return ByName(state.agents, name); }

const Agent* FindAgentByName(const CoreState& state, const std::string& name) { return ByName(state.agents, name); }

Attempt* FindAttempt(CoreState& state, const std::string& attempt_id) {
  const auto found = state.attempts.find(attempt_id);
  return found == state.attempts.end() ? nullptr : found->second.get();
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
