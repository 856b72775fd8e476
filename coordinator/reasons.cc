#include "coordinator/reasons.h"

#include <algorithm>
#include <cmath>

#include "common/ids.h"
#include "common/time_text.h"
#include "coordinator/scheduler.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

const Attempt* Occupant(const Agent& agent) {
  for (const auto& [id, attempt] : agent.attempts) {
    if (OccupiesMachine(*attempt)) return attempt;
  }
  return nullptr;
}

std::string NameOf(const Attempt& attempt) {
  return std::string(ShortId(attempt.record.run_id)) + " (" + attempt.run->record.spec.workload() + ")";
}

std::string Since(const Agent& agent, const Moment& now) {
  return FormatTimeBriefly(agent.record.offline_since_unix_s, now.unix_s());
}

// What keeps this machine from taking a run now; "" when nothing does.
std::string Obstacle(const Agent& agent, const Moment& now) {
  if (!agent.is_online) return ", offline since " + Since(agent, now);
  if (agent.record.draining || agent.is_draining_there) return ", which is draining";
  if (const Attempt* occupant = Occupant(agent)) return ", which runs " + NameOf(*occupant);
  if (agent.strange_attempts > 0) return ", which is ending a run that is no longer wanted";
  if (!agent.not_accepting.empty()) return ", which takes no runs now: " + agent.not_accepting;
  if (now.boottime_ns < agent.refused_until_ns) return ", which refused: " + agent.refusal;
  if (!agent.is_synced) return ", which is just being contacted";
  return "";
}

std::string Before(int position) { return position <= 1 ? "" : ", " + std::to_string(position - 1) + " before it"; }

std::string DescribeAny(const v1::SubmitRequest& request) {
  std::string text = "any agent";
  if (!request.device().empty()) text += " with " + request.device();
  for (const auto& [key, value] : LabelsOf(request.on())) text += " with " + key + "=" + value;
  return text;
}

// Looks at every agent.
std::string WaitsForAny(const CoreState& state, const Run& run, const Moment& now) {
  int suited = 0;
  int busy = 0;
  int offline = 0;
  int draining = 0;
  std::string other;
  for (const auto& [id, agent] : state.agents) {
    if (agent->record.removed || !DeviceForAny(*agent, run).has_value()) continue;
    ++suited;
    const std::string agent_state = StateOfAgent(*agent);
    if (agent_state == "offline") ++offline;
    if (agent_state == "draining") ++draining;
    if (agent_state == "busy") ++busy;
    if (agent_state == "idle") other = agent->name() + Obstacle(*agent, now);
  }
  std::string text = "waits for " + DescribeAny(run.job->record.request) + ": ";
  if (now.boottime_ns < state.any_held_until_ns) {
    const double seconds = std::ceil(static_cast<double>(state.any_held_until_ns - now.boottime_ns) * 1e-9);
    return text + "the store was restored from a backup, and until " + FormatDuration(seconds) +
           " from now an agent may still run what was begun after it";
  }
  if (suited == 0) return text + "none has joined that can run it";
  std::string counts;
  const auto add = [&](int count, const char* word) {
    if (count > 0) counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " + word;
  };
  add(busy, "busy");
  add(offline, "offline");
  add(draining, "draining");
  if (!other.empty()) counts += (counts.empty() ? "" : ", ") + other;
  return text + counts;
}

const std::string& WhyAny(const CoreState& state, const Run& run, const Moment& now) {
  if (state.any_reasons_at_ns != now.boottime_ns) state.any_reasons.clear();
  state.any_reasons_at_ns = now.boottime_ns;
  const auto [reason, is_new] = state.any_reasons.try_emplace(run.job);
  if (is_new) reason->second = WaitsForAny(state, run, now);
  return reason->second;
}

std::string ReasonWhileLive(const CoreState& state, const Run& run, const Moment& now) {
  const Attempt& attempt = *run.live;
  const Agent& agent = *state.agents.at(attempt.record.agent_id);
  const std::string cancelling = run.record.cancel_requested ? "; it is to be cancelled" : "";
  if (!agent.is_online) {
    return "agent " + agent.name() + " is unreachable since " + Since(agent, now) + ", the result may still come" +
           cancelling;
  }
  if (attempt.record.state == AttemptState::kResultReady) {
    return "has ended on agent " + agent.name() + ", its report is being fetched";
  }
  if (run.record.cancel_requested) return "is being cancelled on agent " + agent.name();
  if (attempt.record.state == AttemptState::kDispatched) return "is being sent to agent " + agent.name();
  return "runs on agent " + agent.name() + ", " + run.record.spec.device();
}

}  // namespace

std::string ReasonOfRun(const CoreState& state, const Run& run, const Moment& now) {
  if (run.live != nullptr) return ReasonWhileLive(state, run, now);
  const int position = QueuePosition(state, run);
  std::string reason;
  if (run.record.target_agent_id.empty()) {
    reason = WhyAny(state, run, now) + Before(position);
  } else {
    const Agent& agent = *state.agents.at(run.record.target_agent_id);
    reason = "waits for agent " + agent.name() + Obstacle(agent, now) + Before(position);
  }
  if (run.record.retries_used > 0) {
    reason += "; retry " + std::to_string(run.record.retries_used) + " after: " + run.record.failure.message();
  }
  return reason;
}

std::string StateOfAgent(const Agent& agent) {
  if (!agent.is_online) return "offline";
  if (agent.record.draining) return "draining";
  return Occupant(agent) != nullptr || agent.strange_attempts > 0 ? "busy" : "idle";
}

std::string ReasonOfAgent(const Agent& agent, const Moment& now) {
  if (!agent.is_online) {
    const std::string why = agent.offline_reason.empty() ? "" : ": " + agent.offline_reason;
    return "not reached since " + Since(agent, now) + " at " + agent.record.address + why;
  }
  const Attempt* occupant = Occupant(agent);
  if (agent.record.draining) {
    return occupant == nullptr ? "takes no new runs" : "takes no new runs, ends " + NameOf(*occupant);
  }
  if (occupant != nullptr) return "runs " + NameOf(*occupant);
  if (agent.strange_attempts > 0) return "is ending a run that is no longer wanted";
  if (!agent.not_accepting.empty()) return "takes no runs now: " + agent.not_accepting;
  if (now.boottime_ns < agent.refused_until_ns) return "refused a run: " + agent.refusal;
  return "";
}

}  // namespace fleetmark
