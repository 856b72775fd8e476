#include "coordinator/result_intake.h"

#include <algorithm>
#include <cmath>

#include "coordinator/adoption.h"
#include "coordinator/run_state.h"

namespace fleetmark {
namespace {

constexpr double kFirstPauseS = 0.1;
constexpr double kMostPauseS = 30;

void OweAck(StepContext& step, Agent& agent, const std::string& attempt_id, const std::string& sha256) {
  agent.acks[attempt_id] = {sha256, 0};
  if (agent.acks_waiting_since_ns == 0) agent.acks_waiting_since_ns = step.now.boottime_ns;
}

// Bytes with the right hash that are no report for this attempt end it all the same: they will not get better.
std::shared_ptr<v1::AttemptReport> ParseReport(const std::string& bytes, const std::string& attempt_id) {
  auto report = std::make_shared<v1::AttemptReport>();
  const bool is_report =
      report->ParseFromString(bytes) && report->attempt_id() == attempt_id &&
      ParseRunState(report->outcome()).has_value() && IsTerminal(*ParseRunState(report->outcome())) &&
      (report->outcome() != "succeeded" || report->has_result()) &&
      std::isfinite(report->accepted_unix_s() + report->started_unix_s() + report->finished_unix_s());
  if (is_report) return report;
  report->Clear();
  report->set_attempt_id(attempt_id);
  report->set_outcome("failed");
  report->mutable_failure()->set_kind("protocol");
  report->mutable_failure()->set_message("the agent's report is not an AttemptReport of this attempt");
  report->mutable_failure()->set_hint("install the same version of Fleetmark on agent and coordinator");
  return report;
}

PutReport MakePut(StepContext& step, const Fetched& event, const std::string& run_id,
                  std::shared_ptr<const v1::AttemptReport> report, bool is_canonical) {
  return {event.attempt_id,  run_id,       event.sha256, event.bytes,
          std::move(report), is_canonical, event.log,    step.now.unix_s()};
}

void StoreLive(StepContext& step, Attempt& attempt, const Fetched& event) {
  const auto report = ParseReport(event.bytes, event.attempt_id);
  const std::string run_id = attempt.record.run_id;
  const bool is_canonical = report->outcome() == "succeeded";
  EndWithReport(step, attempt, *report, event.sha256);
  step.effects.writes.push_back(MakePut(step, event, run_id, report, is_canonical));
}

// An attempt that was given up, and now its report came.
void StoreLate(StepContext& step, const AttemptRecord& record, const Fetched& event) {
  const auto report = ParseReport(event.bytes, event.attempt_id);
  AttemptRecord late = record;
  late.state = AttemptState::kStored;
  late.report_sha256 = event.sha256;
  Run* run = FindRun(step.state, record.run_id);
  const bool is_wanted = run != nullptr && run->live == nullptr && report->outcome() == "succeeded";
  if (is_wanted) {
    late.outcome = report->outcome();
    late.failure.Clear();
    late.finished_unix_s = report->finished_unix_s();
    run->record.agent_id = record.agent_id;
    run->record.spec.set_device(report->result().environment().device().name());
    run->record.device_kind = report->result().environment().device().kind();
    run->record.started_unix_s = report->started_unix_s();
    FinishRun(step, *run, RunState::kSucceeded, {});
  }
  step.effects.writes.push_back(PutAttempt{late});
  step.effects.writes.push_back(MakePut(step, event, record.run_id, report, is_wanted));
}

void StoreStray(StepContext& step, Agent& agent, const StrayReport& stray, const Fetched& event) {
  const std::string what = "agent " + agent.name() + " reported attempt " + event.attempt_id;
  if (stray.is_known && stray.attempt.report_sha256.empty()) {
    StoreLate(step, stray.attempt, event);
  } else if (stray.is_known) {
    step.Log(Severity::kError, what + " (run " + stray.attempt.run_id +
                                   ") twice with different bytes; the second report is kept as a conflict");
    step.effects.writes.push_back(
        KeepReport{event.attempt_id, event.sha256, event.bytes, "conflict", step.now.unix_s()});
    step.effects.changed_runs.push_back(stray.attempt.run_id);
  } else {
    step.Log(Severity::kError, what + ", which this coordinator never planned; the report is kept apart");
    step.effects.writes.push_back(
        KeepReport{event.attempt_id, event.sha256, event.bytes, "unknown_attempt", step.now.unix_s()});
  }
}

void FetchStray(StepContext& step, Agent& agent, const std::string& attempt_id, StrayReport& stray) {
  if (stray.sha256.empty() || stray.is_fetching || !stray.is_looked_up || step.now.boottime_ns < stray.not_before_ns)
    return;
  stray.is_fetching = true;
  step.effects.calls.push_back(FetchCall{agent.id(), agent.record.address, attempt_id, stray.sha256});
}

// It was looked up. `stray` is gone afterwards when its run takes it.
void TakeStray(StepContext& step, Agent& agent, const std::string& attempt_id, StrayReport& stray) {
  if (stray.is_known || stray.is_fetching || !IsAdoptable(step.state, agent, stray.status)) {
    return FetchStray(step, agent, attempt_id, stray);
  }
  Attempt& attempt = Adopt(step, agent, stray.status);
  attempt.pending_sha256 = stray.sha256;
  FetchIfDue(step, agent, attempt);
  agent.strays.erase(attempt_id);
}

void OnFetchFailed(StepContext& step, Agent& agent, const Fetched& event) {
  step.Log(Severity::kWarning, "could not fetch the report of attempt " + event.attempt_id + " from agent " +
                                   agent.name() + ": " + event.status.message());
  if (Attempt* attempt = FindAttempt(step.state, event.attempt_id)) {
    attempt->is_fetching = false;
    attempt->fetch_not_before_ns =
        step.now.boottime_ns + BackoffNs(++attempt->fetch_failures, kFirstPauseS, kMostPauseS);
  } else if (const auto stray = agent.strays.find(event.attempt_id); stray != agent.strays.end()) {
    stray->second.is_fetching = false;
    stray->second.not_before_ns = step.now.boottime_ns + SecondsToNanos(kMostPauseS);
  }
}

}  // namespace

void FetchIfDue(StepContext& step, Agent& agent, Attempt& attempt) {
  if (attempt.pending_sha256.empty() || attempt.is_fetching || !agent.is_online) return;
  if (step.now.boottime_ns < attempt.fetch_not_before_ns) return;
  attempt.is_fetching = true;
  step.effects.calls.push_back(
      FetchCall{agent.id(), agent.record.address, attempt.record.attempt_id, attempt.pending_sha256});
}

void OfferStray(StepContext& step, Agent& agent, const v1::AttemptStatus& status, const std::string& sha256) {
  StrayReport& stray = agent.strays[status.attempt_id()];
  stray.status = status;
  stray.sha256 = sha256;
  if (!stray.is_looked_up) {
    step.effects.calls.push_back(LookUp{agent.id(), status.attempt_id()});
  } else {
    TakeStray(step, agent, status.attempt_id(), stray);
  }
}

void OnLookedUp(StepContext& step, const LookedUp& event) {
  Agent* agent = FindAgent(step.state, event.agent_id);
  if (agent == nullptr) return;
  const auto found = agent->strays.find(event.attempt_id);
  if (found == agent->strays.end() || found->second.is_looked_up) return;
  StrayReport& stray = found->second;
  stray.is_looked_up = true;
  stray.is_known = event.attempt.has_value();
  if (stray.is_known) stray.attempt = *event.attempt;
  if (stray.is_known && !stray.sha256.empty() && stray.attempt.report_sha256 == stray.sha256) {
    OweAck(step, *agent, event.attempt_id, stray.sha256);  // it was stored, and the ack was lost
    agent->strays.erase(found);
  } else {
    TakeStray(step, *agent, event.attempt_id, stray);
  }
}

void OnFetched(StepContext& step, const Fetched& event) {
  Agent* agent = FindAgent(step.state, event.agent_id);
  if (agent == nullptr) return;
  if (!event.status.ok()) return OnFetchFailed(step, *agent, event);
  agent->last_heard_ns = step.now.boottime_ns;
  if (Attempt* attempt = FindAttempt(step.state, event.attempt_id)) {
    StoreLive(step, *attempt, event);
  } else if (const auto stray = agent->strays.find(event.attempt_id); stray != agent->strays.end()) {
    StoreStray(step, *agent, stray->second, event);
    agent->strays.erase(stray);
  } else {
    return;  // ended meanwhile, and its agent lists it no longer; if it does, it comes back as a stray
  }
  OweAck(step, *agent, event.attempt_id, event.sha256);
}

void TickIntake(StepContext& step, Agent& agent) {
  for (const auto& [id, attempt] : agent.attempts) FetchIfDue(step, agent, *attempt);
  for (auto& [id, stray] : agent.strays) {
    if (agent.is_online) FetchStray(step, agent, id, stray);
  }
}

int64_t NextIntakeDeadline(const Agent& agent) {
  int64_t next = kNever;
  if (!agent.is_online) return next;
  for (const auto& [id, attempt] : agent.attempts) {
    if (!attempt->pending_sha256.empty() && !attempt->is_fetching) next = std::min(next, attempt->fetch_not_before_ns);
  }
  for (const auto& [id, stray] : agent.strays) {
    if (stray.is_looked_up && !stray.is_fetching && !stray.sha256.empty()) next = std::min(next, stray.not_before_ns);
  }
  return next;
}

}  // namespace fleetmark
