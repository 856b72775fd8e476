#include "coordinator/scheduler.h"

#include <algorithm>
#include <limits>

#include "coordinator/run_state.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

Run* FirstPinned(CoreState& state, const Agent& agent) {
  const auto queue = state.queues.find(agent.id());
  return queue == state.queues.end() || queue->second.empty() ? nullptr : queue->second.begin()->second;
}

// The first "any" run that suits this agent and comes before `limit`.
Run* FirstForAny(CoreState& state, const Agent& agent, int64_t now_ns, const Run* limit, std::string* device) {
  if (!agent.is_leased) return nullptr;  // it would refuse a run that depends on a lease
  if (now_ns < state.any_held_until_ns) return nullptr;
  for (const auto& [key, run] : state.queues[""]) {
    if (limit != nullptr && key > limit->key) return nullptr;
    if (std::optional<std::string> suits = DeviceForAny(agent, *run)) {
      *device = *suits;
      return run;
    }
  }
  return nullptr;
}

}  // namespace

bool OccupiesMachine(const Attempt& attempt) {
  return attempt.record.state == AttemptState::kDispatched || attempt.record.state == AttemptState::kRunning;
}

bool IsFree(const Agent& agent, int64_t now_ns) {
  return agent.is_online && agent.is_synced && !agent.record.removed && !agent.record.draining &&
         !agent.is_draining_there && agent.not_accepting.empty() && agent.strange_attempts == 0 &&
         now_ns >= agent.refused_until_ns &&
         std::all_of(agent.strays.begin(), agent.strays.end(),
                     [](const auto& entry) { return entry.second.is_looked_up; }) &&
         std::none_of(agent.attempts.begin(), agent.attempts.end(),
                      [](const auto& entry) { return OccupiesMachine(*entry.second); });
}

std::optional<std::string> DeviceForAny(const Agent& agent, const Run& run) {
  const v1::SubmitRequest& request = run.job->record.request;
  if (!MatchesLabels(agent.record.description, LabelsOf(request.on()))) return std::nullopt;
  StatusOr<Placement> placement = PlaceOn(agent.record.description, request);
  if (!placement.ok() || placement->workload.version() != run.record.spec.workload_version()) return std::nullopt;
  return placement->devices.front();
}

void Schedule(StepContext& step) {
  for (auto& [id, agent] : step.state.agents) {
    if (!IsFree(*agent, step.now.boottime_ns)) continue;
    Run* run = FirstPinned(step.state, *agent);
    std::string device = run == nullptr ? "" : run->record.spec.device();
    if (Run* anywhere = FirstForAny(step.state, *agent, step.now.boottime_ns, run, &device)) run = anywhere;
    if (run != nullptr) Dispatch(step, *agent, *run, device);
  }
}

int QueuePosition(const CoreState& state, const Run& run) {
  if (state.places.empty()) {
    for (const auto& [agent_id, queue] : state.queues) {
      int place = 0;
      for (const auto& [key, queued] : queue) state.places[queued] = ++place;
    }
  }
  const auto found = state.places.find(&run);
  return found == state.places.end() ? 0 : found->second;
}

int64_t NextScheduleDeadline(const CoreState& state, const Agent& agent) {
  const auto is_waiting = [&](const std::string& queue) {
    const auto found = state.queues.find(queue);
    return found != state.queues.end() && !found->second.empty();
  };
  const bool is_pausing = agent.is_online && agent.refused_until_ns != 0;
  if (is_pausing && (is_waiting(agent.id()) || is_waiting(""))) return agent.refused_until_ns;
  if (now_ns < state.any_held_until_ns && is_waiting("")) return state.any_held_until_ns;
  return std::numeric_limits<int64_t>::max();
}

}  // namespace fleetmark
