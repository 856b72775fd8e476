#include "coordinator/coordinator_core.h"

#include <algorithm>
#include <limits>

#include "common/overloaded.h"
#include "coordinator/adoption.h"
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

// When an attempt of a KILL run has ended for certain, though nobody says so: its lease has run out, and a StartRun
// that may still be under way would come after its start_by.
int64_t LeaseVerdictAt(const Agent& agent, const Attempt& attempt) {
  int64_t at_ns = agent.lease_ends_ns;
  const v1::BootTime& start_by = attempt.record.start_by;
  if (attempt.record.state == AttemptState::kDispatched && start_by.boot_id() == agent.boot_id) {
    at_ns = std::max(at_ns, BoottimeHere(agent, static_cast<int64_t>(start_by.boottime_ns())));
  }
  return at_ns + kKillBoundNs;
}

bool EndsWithLease(const Attempt& attempt) { return attempt.record.kill_on_disconnect && OccupiesMachine(attempt); }

}  // namespace

CoordinatorCore::CoordinatorCore(const CoreConfig& config, const StoredState& stored, Moment now) {
  state_.config = config;
  state_.seq = config.first_seq - 1;
  state_.started_unix_s = now.unix_s();
  state_.any_held_until_ns = now.boottime_ns + HoldAnyRunsNs(config, now);
  Rebuild(stored, now);
}

void CoordinatorCore::Rebuild(const StoredState& stored, Moment now) {
  state_.next_job_sequence = stored.next_job_sequence;
  for (const AgentRecord& record : stored.agents) {
    auto agent = std::make_unique<Agent>();
    agent->record = record;
    if (record.offline_since_unix_s == 0) agent->record.offline_since_unix_s = now.unix_s();
    agent->offline_reason = "not reached yet since the coordinator started";
    agent->seq = state_.seq;
    // Leases of earlier epochs may still run, and their StartRuns arrive: both count in full from now.
    agent->lease_ends_ns =
        now.boottime_ns + SecondsToNanos(std::max(state_.config.epoch.previous_lease_s, kStartWithinS));
    state_.agents[record.agent_id] = std::move(agent);
  }
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
}

void CoordinatorCore::Step(const Event& event, Moment now, Effects* effects) {
  StepContext step{state_, *effects, now};
  state_.places.clear();
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
}

void CoordinatorCore::Tick(StepContext& step) {
  for (auto& [id, agent] : state_.agents) {
    if (agent->record.removed) continue;
    // Cleared here and not forgotten when it comes: whoever asks for the next deadline then shall still be told.
    if (agent->refused_until_ns <= step.now.boottime_ns) agent->refused_until_ns = 0;
    TickLink(step, *agent);
    TickIntake(step, *agent);
    ExpireLeases(step, *agent);
  }
}

void CoordinatorCore::ExpireLeases(StepContext& step, Agent& agent) {
  if (agent.is_online) return;
  std::vector<Attempt*> expired;
  for (const auto& [id, attempt] : agent.attempts) {
    if (EndsWithLease(*attempt) && step.now.boottime_ns >= LeaseVerdictAt(agent, *attempt)) expired.push_back(attempt);
  }
  for (Attempt* attempt : expired) {
    EndWithoutReport(step, *attempt, "lease_expired",
                     "agent " + agent.name() + " was unreachable for longer than its lease, so it has ended the run");
  }
}

int64_t CoordinatorCore::NextWakeup(Moment) const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const auto& [id, agent] : state_.agents) {
    if (agent->record.removed) continue;
    next = std::min(
        {next, NextLinkDeadline(state_, *agent), NextIntakeDeadline(*agent), NextScheduleDeadline(state_, *agent)});
    if (agent->is_online) continue;
    for (const auto& [attempt_id, attempt] : agent->attempts) {
      if (EndsWithLease(*attempt)) next = std::min(next, LeaseVerdictAt(*agent, *attempt));
    }
  }
  return next;
}

}  // namespace fleetmark
