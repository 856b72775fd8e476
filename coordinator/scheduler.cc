#include "coordinator/scheduler.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "coordinator/run_state.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

Run* FirstPinned(const CoreState& state, const Agent& agent) {
  const auto queue = state.queues.find(agent.id());
  return queue == state.queues.end() ? nullptr : queue->second.runs.begin()->second;
}

// The first "any" run that suits this agent and comes before `limit`.
Run* FirstForAny(const CoreState& state, const Agent& agent, int64_t now_ns, const Run* limit, std::string* device) {
  if (!agent.is_leased) return nullptr;  // it would refuse a run that depends on a lease
  if (now_ns < state.any_held_until_ns) return nullptr;
  const auto queue = state.queues.find("");
  if (queue == state.queues.end()) return nullptr;
  const std::map<QueueKey, Run*>& runs = queue->second.runs;
  for (auto entry = runs.begin(); entry != runs.end();) {
    const auto& [key, run] = *entry;
    if (limit != nullptr && key > limit->key) return nullptr;
    if (std::optional<std::string> suits = DeviceForAny(agent, *run)) {
      *device = *suits;
      return run;
    }
    // Neither do the other runs of its job, which stand behind it.
    entry = runs.upper_bound({std::get<0>(key), std::get<1>(key), std::numeric_limits<int>::max()});
  }
  return nullptr;
}

}  // namespace

bool OccupiesMachine(const Attempt& attempt) {
  return attempt.record.state == AttemptState::kDispatched || attempt.record.state == AttemptState::kRunning;
}

bool HasRoom(const Agent& agent) {
  return agent.is_online && agent.is_synced && !agent.record.removed && !agent.record.draining &&
         !agent.is_draining_there && agent.not_accepting.empty() && agent.strange_attempts == 0 &&
         std::all_of(agent.strays.begin(), agent.strays.end(),
                     [](const auto& entry) { return entry.second.is_looked_up; }) &&
         std::none_of(agent.attempts.begin(), agent.attempts.end(),
                      [](const auto& entry) { return OccupiesMachine(*entry.second); });
}

std::optional<std::string> DeviceForAny(const Agent& agent, const Run& run) {
  const v1::SubmitRequest& request = run.job->record.request;
  if (!MatchesLabels(agent.record.description, LabelsOf(request.on()))) return std::nullopt;
  StatusOr<Placement> placement = PlaceOn(agent.machine(), request);
  if (!placement.ok() || placement->workload->version() != run.record.spec.workload_version()) return std::nullopt;
  return placement->devices.front();
}

Run* FirstRunFor(const CoreState& state, const Agent& agent, int64_t now_ns, std::string* device) {
  if (now_ns < agent.refused_until_ns || !HasRoom(agent)) return nullptr;
  Run* run = FirstPinned(state, agent);
  if (run != nullptr) *device = run->record.spec.device();
  Run* anywhere = FirstForAny(state, agent, now_ns, run, device);
  return anywhere != nullptr ? anywhere : run;
}

void Schedule(StepContext& step) {
  CoreState& state = step.state;
  if (state.any_held_until_ns != 0 && step.now.boottime_ns >= state.any_held_until_ns) {
    state.any_held_until_ns = 0;
    state.has_new_any_run = true;
  }
  // For an agent that nothing has happened to there is as little to do as before, unless a run came that goes anywhere.
  if (std::exchange(state.has_new_any_run, false)) state.touched.insert(state.with_room.begin(), state.with_room.end());
  size_t left = state.config.dispatched_at_once;
  for (Agent* agent : state.touched) {
    std::string device;
    if (left == 0) {
      state.put_off.insert(agent);
    } else if (Run* run = FirstRunFor(state, *agent, step.now.boottime_ns, &device)) {
      Dispatch(step, *agent, *run, device);
      --left;
    }
  }
}

void TakeUpPutOff(CoreState& state) {
  const size_t taken = std::min(state.put_off.size(), state.config.dispatched_at_once);
  const auto end = std::next(state.put_off.begin(), static_cast<std::ptrdiff_t>(taken));
  state.touched.insert(state.put_off.begin(), end);
  state.put_off.erase(state.put_off.begin(), end);
}

int QueuePosition(const CoreState& state, const Run& run) {
  const auto queue = state.queues.find(run.record.target_agent_id);
  if (queue == state.queues.end() || !queue->second.runs.contains(run.key)) return 0;
  if (!std::exchange(queue->second.is_counted, true)) {
    int place = 0;
    for (const auto& [key, queued] : queue->second.runs) queued->place = ++place;
  }
  return run.place;
}

int64_t NextScheduleDeadline(const Agent& agent, int64_t now_ns) {
  return agent.is_online && agent.refused_until_ns > now_ns ? agent.refused_until_ns : kNever;
}

}  // namespace fleetmark
