#include "coordinator/coordinator_core.h"

#include <algorithm>

#include "common/overloaded.h"
#include "coordinator/adoption.h"
#include "coordinator/agent_index.h"
#include "coordinator/agent_link.h"
#include "coordinator/order_queue.h"
#include "coordinator/profiles.h"
#include "coordinator/registry.h"
#include "coordinator/result_intake.h"
#include "coordinator/run_state.h"
#include "coordinator/scheduler.h"
#include "coordinator/submission.h"

namespace fleetmark {
namespace {

// The first calls to agents leave in groups: the answers of a thousand that come at once are as many descriptions in
// memory, and their polls would keep that step for ever.
constexpr int64_t kDialedAtOnce = 64;
constexpr int64_t kDialPauseNs = 20'000'000;

}  // namespace

CoordinatorCore::CoordinatorCore(const CoreConfig& config, const StoredState& stored, Moment now) {
  state_.config = config;
  state_.seq = config.first_seq - 1;
  state_.started_unix_s = now.unix_s();
  state_.any_held_until_ns = now.boottime_ns + HoldAnyRunsNs(config, now);
  Rebuild(stored, now);
}

void CoordinatorCore::TakeUpAgents(const StoredState& stored, Moment now) {
  int64_t known = 0;
  for (const AgentRecord& record : stored.agents) {
    auto agent = std::make_unique<Agent>();
    agent->record = record;
    if (record.offline_since_unix_s == 0) agent->record.offline_since_unix_s = now.unix_s();
    agent->offline_reason = "not reached yet since the coordinator started";
    agent->seq = state_.seq;
    agent->retry_at_ns = now.boottime_ns + known++ / kDialedAtOnce * kDialPauseNs;
    // Leases of earlier epochs may still run, and their StartRuns arrive: both count in full from now.
    agent->lease_ends_ns = now.boottime_ns + SecondsToNanos(state_.config.epoch.previous_lease_s);
    agent->boottime_read_ns = now.boottime_ns;
    state_.agents[record.agent_id] = std::move(agent);
  }
}

void CoordinatorCore::Rebuild(const StoredState& stored, Moment now) {
  state_.next_job_sequence = stored.next_job_sequence;
  TakeUpAgents(stored, now);
  for (const JobRecord& record : stored.jobs) {
    auto job = std::make_unique<Job>();
    job->record = record;
    state_.jobs[record.job_id] = std::move(job);
  }
  for (const RunRecord& record : stored.runs) {
    auto run = std::make_unique<Run>();
    run->record = record;
    run->job = state_.jobs.at(record.job_id).get();
    run->key = {-int64_t{run->job->record.request.priority()}, run->job->record.sequence, record.index};
    ++run->job->active_runs;
    state_.runs[record.run_id] = std::move(run);
  }
  for (const AttemptRecord& record : stored.attempts) {
    auto attempt = std::make_unique<Attempt>();
    attempt->record = record;
    attempt->run = state_.runs.at(record.run_id).get();
    attempt->run->live = attempt.get();
    state_.agents.at(record.agent_id)->attempts[record.attempt_id] = attempt.get();
    state_.attempts[record.attempt_id] = std::move(attempt);
  }
  for (const v1::TunedProfile& profile : stored.profiles) state_.profiles[KeyOf(profile)] = profile;
  for (auto& [id, run] : state_.runs) {
    if (run->live == nullptr) Enqueue(state_, *run);
  }
  for (auto& [id, agent] : state_.agents) Touch(state_, *agent);
  ReindexTouched(state_, now.boottime_ns);
}

void CoordinatorCore::Step(const Event& event, Moment now, Effects* effects) {
  StepContext step{state_, *effects, now};
  state_.any_reasons.clear();
  std::visit(
      Overloaded{[&](const AddAgentAsked& e) { OnAddAgent(step, e); },
                 [&](const RemoveAgentAsked& e) { OnRemoveAgent(step, e); },
                 [&](const DrainAsked& e) { OnDrain(step, e); }, [&](const SubmitAsked& e) { OnSubmit(step, e); },
                 [&](const CancelAsked& e) { OnCancel(step, e); },
                 [&](const KeepProfilesAsked& e) { OnKeepProfiles(step, e); },
                 [&](const ForgetProfilesAsked& e) { OnForgetProfiles(step, e); },
                 [&](const Described& e) {
                   if (!OnAdmissionDescribed(step, e)) OnLinkDescribed(step, e);
                 },
                 [&](const Synced& e) { OnSynced(step, e); }, [&](const OrderAnswered& e) { OnOrderAnswered(step, e); },
                 [&](const Fetched& e) { OnFetched(step, e); }, [&](const LookedUp& e) { OnLookedUp(step, e); },
                 [&](const Ticked&) { Tick(step); }},
      event);
  Schedule(step);
  ReindexTouched(state_, now.boottime_ns);
}

void CoordinatorCore::Tick(StepContext& step) {
  TakeUpPutOff(state_);
  for (Agent* agent : TakeDueAgents(state_, step.now.boottime_ns)) {
    TickLink(step, *agent);
    TickIntake(step, *agent);
    ExpireLease(step, *agent);
  }
}

int64_t CoordinatorCore::NextWakeup(Moment now) const {
  if (!state_.put_off.empty()) return now.boottime_ns;
  const int64_t held_ns =
      state_.any_held_until_ns != 0 && state_.queues.contains("") ? state_.any_held_until_ns : kNever;
  return std::min(FirstDeadline(state_), held_ns);
}

std::string CoordinatorCore::FindIndexFault(Moment now) const {
  return fleetmark::FindIndexFault(state_, now.boottime_ns);
}

}  // namespace fleetmark
