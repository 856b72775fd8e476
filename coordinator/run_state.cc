#include "coordinator/run_state.h"

#include <algorithm>

#include "common/ids.h"
#include "coordinator/adoption.h"
#include "coordinator/agent_index.h"
#include "coordinator/agent_link.h"
#include "coordinator/order_queue.h"
#include "coordinator/scheduler.h"

namespace fleetmark {
namespace {

constexpr double kFirstRefusalPauseS = 0.5;
constexpr double kMostRefusalPauseS = 30;

bool EndsWithLease(const Attempt& attempt) { return attempt.record.kill_on_disconnect && OccupiesMachine(attempt); }

// When an attempt of a KILL run has ended for certain, though nobody says so: its lease has run out, and a StartRun
// that may still be under way would come after its start_by.
int64_t LeaseVerdictAt(const Agent& agent, const Attempt& attempt) {
  int64_t at_ns = agent.lease_ends_ns;
  const v1::BootTime& start_by = attempt.record.start_by;
  if (attempt.record.state == AttemptState::kDispatched && agent.boot_id.empty()) {
    at_ns = std::max(at_ns, agent.boottime_read_ns + SecondsToNanos(kStartWithinS));  // of before this core began
  } else if (attempt.record.state == AttemptState::kDispatched && agent.boot_id == start_by.boot_id()) {
    at_ns = std::max(at_ns, BoottimeHere(agent, static_cast<int64_t>(start_by.boottime_ns())));
  }
  return at_ns + kKillBoundNs;
}

void Save(StepContext& step, const Attempt& attempt) { step.effects.writes.push_back(PutAttempt{attempt.record}); }
void Save(StepContext& step, const Run& run) {
  step.effects.writes.push_back(PutRun{run.record});
  step.effects.changed_runs.push_back(run.record.run_id);
}

// The attempt has ended; its run goes on without it.
Run& Detach(StepContext& step, Attempt& attempt) {
  Run& run = *attempt.run;
  run.live = nullptr;
  if (Agent* agent = FindAgent(step.state, attempt.record.agent_id)) {
    agent->attempts.erase(attempt.record.attempt_id);
  }
  step.state.attempts.erase(attempt.record.attempt_id);
  return run;
}

void Requeue(StepContext& step, Run& run) {
  run.record.state = RunState::kQueued;
  if (run.record.target_agent_id.empty()) {
    run.record.agent_id.clear();
    run.record.spec.clear_device();
    run.record.device_kind.clear();
  }
  Enqueue(step.state, run);
  Save(step, run);
}

// After an infrastructure failure: another attempt when the job allows it, else the end.
void RetryOrFinish(StepContext& step, Run& run, RunState outcome, const v1::Failure& failure) {
  if (run.record.cancel_requested) {
    FinishRun(step, run, RunState::kCancelled, MakeFailure("cancelled", run.record.cancel_reason));
  } else if (run.record.retries_used < run.job->record.request.retries()) {
    ++run.record.retries_used;
    run.record.failure = failure;
    Requeue(step, run);
  } else {
    FinishRun(step, run, outcome, failure);
  }
}

void MarkRunning(StepContext& step, Attempt& attempt) {
  if (attempt.record.state != AttemptState::kDispatched) return;
  attempt.record.state = AttemptState::kRunning;
  attempt.record.started_unix_s = step.now.unix_s();
  Run& run = *attempt.run;
  run.record.state = RunState::kRunning;
  if (run.record.started_unix_s == 0) run.record.started_unix_s = step.now.unix_s();
  run.record.failure.Clear();
  Save(step, attempt);
  Save(step, run);
}

// An ack that this store does not remember has rid the agent of the report: it went down with the store that the backup
// replaces. The run is measured again, whatever retries it has left.
void EndLost(StepContext& step, Attempt& attempt, const std::string& agent_name) {
  attempt.record.outcome = "interrupted";
  attempt.record.failure =
      MakeFailure("lost_in_restore", "agent " + agent_name +
                                         " no longer has it: its result was stored after the backup that this "
                                         "store was restored from");
  attempt.record.finished_unix_s = step.now.unix_s();
  Save(step, attempt);
  Run& run = Detach(step, attempt);
  if (run.record.cancel_requested) {
    FinishRun(step, run, RunState::kCancelled, MakeFailure("cancelled", run.record.cancel_reason));
  } else {
    Requeue(step, run);
  }
}

}  // namespace

v1::Failure MakeFailure(const std::string& kind, const std::string& message, const std::string& hint) {
  v1::Failure failure;
  failure.set_kind(kind);
  failure.set_message(message);
  failure.set_hint(hint);
  return failure;
}

void Enqueue(CoreState& state, Run& run) {
  const std::string& target = run.record.target_agent_id;
  RunQueue& queue = state.queues[target];
  queue.runs[run.key] = &run;
  queue.is_counted = false;
  if (target.empty()) {
    state.has_new_any_run = true;
  } else {
    FindAgent(state, target);
  }
}

void Dequeue(CoreState& state, Run& run) {
  const auto queue = state.queues.find(run.record.target_agent_id);
  if (queue == state.queues.end()) return;
  queue->second.runs.erase(run.key);
  queue->second.is_counted = false;
  if (queue->second.runs.empty()) state.queues.erase(queue);
}

void Dispatch(StepContext& step, Agent& agent, Run& run, const std::string& device) {
  const std::string attempt_id =
      DeriveId({"attempt", run.record.run_id, std::to_string(run.record.attempts + 1), step.state.config.instance_id});
  OrderStart(step, agent, PlaceAttempt(step, agent, run, device, attempt_id));
}

Attempt& PlaceAttempt(StepContext& step, Agent& agent, Run& run, const std::string& device,
                      const std::string& attempt_id) {
  Dequeue(step.state, run);
  run.record.agent_id = agent.id();
  run.record.spec.set_device(device);
  for (const v1::Device& known : agent.record.description.devices()) {
    if (known.name() == device) run.record.device_kind = known.kind();
  }
  ++run.record.attempts;
  auto attempt = std::make_unique<Attempt>();
  AttemptRecord& record = attempt->record;
  record.run_id = run.record.run_id;
  record.number = run.record.attempts;
  record.attempt_id = attempt_id;
  record.agent_id = agent.id();
  record.incarnation = agent.record.description.incarnation();
  record.kill_on_disconnect = run.record.target_agent_id.empty();
  record.dispatched_unix_s = step.now.unix_s();
  record.start_by.set_boot_id(agent.boot_id);
  record.start_by.set_boottime_ns(BoottimeThere(agent, step.now.boottime_ns) + SecondsToNanos(kStartWithinS));
  attempt->run = &run;
  run.live = attempt.get();
  agent.attempts[record.attempt_id] = attempt.get();
  Save(step, run);
  Save(step, *attempt);
  return *(step.state.attempts[attempt_id] = std::move(attempt));
}

void ApplyStatus(StepContext& step, Agent& agent, Attempt& attempt, const v1::AttemptStatus& status) {
  if (status.state() == "tombstone" && attempt.record.state == AttemptState::kDispatched) {
    Refuse(step, attempt, Unavailable("agent " + agent.name() + " never got it", "", "not_sent"));
  } else if (status.state() == "result_ready") {
    MarkResultReady(step, attempt);
  } else if (status.state() != "tombstone" && status.state() != "pruned") {
    MarkRunning(step, attempt);
    if (status.state() == "cancelling") attempt.is_cancelling = true;
  } else if (IsFromBeforeRestore(step.state, attempt.record)) {
    EndLost(step, attempt, agent.name());
  } else {
    EndWithoutReport(step, attempt, "agent_restarted", "agent " + agent.name() + " no longer knows this attempt");
  }
}

void MarkResultReady(StepContext& step, Attempt& attempt) {
  if (attempt.record.state == AttemptState::kResultReady) return;
  MarkRunning(step, attempt);
  attempt.record.state = AttemptState::kResultReady;
  Save(step, attempt);
  step.effects.changed_runs.push_back(attempt.record.run_id);
}

void Refuse(StepContext& step, Attempt& attempt, const Status& status) {
  Agent* agent = FindAgent(step.state, attempt.record.agent_id);
  attempt.record.state = AttemptState::kRefused;
  attempt.record.failure = MakeFailure(status.kind(), status.message(), status.hint());
  attempt.record.finished_unix_s = step.now.unix_s();
  Save(step, attempt);
  Run& run = Detach(step, attempt);
  const bool is_hopeless = status.code() == StatusCode::kInvalidArgument || status.code() == StatusCode::kUnimplemented;
  if (run.record.cancel_requested) {
    FinishRun(step, run, RunState::kCancelled, MakeFailure("cancelled", run.record.cancel_reason));
  } else if (is_hopeless) {
    FinishRun(step, run, RunState::kFailed, MakeFailure(status.kind(), status.message(), status.hint()));
  } else {
    if (agent != nullptr && status.kind() != "not_sent") {
      agent->refusal = status.message();
      agent->refused_until_ns =
          step.now.boottime_ns + BackoffNs(++agent->refusals, kFirstRefusalPauseS, kMostRefusalPauseS);
    }
    Requeue(step, run);
  }
}

void EndWithoutReport(StepContext& step, Attempt& attempt, const std::string& kind, const std::string& message) {
  attempt.record.outcome = "interrupted";
  attempt.record.failure = MakeFailure(kind, message);
  attempt.record.finished_unix_s = step.now.unix_s();
  Save(step, attempt);
  const v1::Failure failure = attempt.record.failure;
  RetryOrFinish(step, Detach(step, attempt), RunState::kInterrupted, failure);
}

void ExpireLease(StepContext& step, Agent& agent) {
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

int64_t NextLeaseDeadline(const Agent& agent) {
  int64_t next = kNever;
  if (agent.is_online) return next;
  for (const auto& [id, attempt] : agent.attempts) {
    if (EndsWithLease(*attempt)) next = std::min(next, LeaseVerdictAt(agent, *attempt));
  }
  return next;
}

void EndWithReport(StepContext& step, Attempt& attempt, const v1::AttemptReport& report, const std::string& sha256) {
  AttemptRecord& record = attempt.record;
  record.state = AttemptState::kStored;
  record.outcome = report.outcome();
  record.failure = report.failure();
  if (report.started_unix_s() > 0) record.started_unix_s = report.started_unix_s();
  record.finished_unix_s = report.finished_unix_s() > 0 ? report.finished_unix_s() : step.now.unix_s();
  record.exit_code = report.exit_code();
  record.signal = report.signal();
  record.stderr_tail = report.stderr_tail();
  record.report_sha256 = sha256;
  Save(step, attempt);
  const AttemptRecord ended = record;
  Run& run = Detach(step, attempt);
  const std::optional<RunState> outcome = ParseRunState(ended.outcome);
  if (report.retryable() && ended.outcome != "succeeded") {
    RetryOrFinish(step, run, outcome.value_or(RunState::kInterrupted), ended.failure);
  } else {
    // How long it took is the agent's to say, when it was stored is ours: the two clocks may differ by anything.
    const double took_s = std::max(ended.finished_unix_s - ended.started_unix_s, 0.0);
    run.record.started_unix_s = ended.started_unix_s > 0 ? step.now.unix_s() - took_s : 0;
    FinishRun(step, run, outcome.value_or(RunState::kFailed), ended.failure);
  }
}

void FinishRun(StepContext& step, Run& run, RunState outcome, const v1::Failure& failure) {
  Dequeue(step.state, run);
  run.record.state = outcome;
  run.record.failure = failure;
  run.record.finished_unix_s = step.now.unix_s();
  Save(step, run);
  Job* job = run.job;
  const std::string run_id = run.record.run_id;
  step.state.runs.erase(run_id);
  if (--job->active_runs == 0) step.state.jobs.erase(std::string(job->record.job_id));
}

void OnCancel(StepContext& step, const CancelAsked& event) {
  for (const std::string& run_id : event.run_ids) {
    Run* run = FindRun(step.state, run_id);
    if (run == nullptr || run->record.cancel_requested) continue;
    run->record.cancel_requested = true;
    run->record.cancel_reason = event.reason.empty() ? "cancelled by a person" : event.reason;
    if (run->live == nullptr) {
      FinishRun(step, *run, RunState::kCancelled, MakeFailure("cancelled", run->record.cancel_reason));
      continue;
    }
    Save(step, *run);
    // Once the report is ready there is nothing to stop: it says how the run ended.
    if (run->live->record.state == AttemptState::kResultReady) continue;
    OrderCancel(step, *FindAgent(step.state, run->live->record.agent_id), *run->live);
  }
  step.Answer(event.reply, OkStatus());
}

}  // namespace fleetmark
