#include "agent/agent_core.h"

#include <algorithm>
#include <utility>

#include "agent/end_report.h"
#include "common/sha256.h"

namespace fleetmark::agent {
namespace {

// A machine is free again within 5 s of a cancel; a worker that ignores SIGTERM gets this long.
constexpr double kDefaultGraceS = 2;
constexpr double kMaxGraceS = 4;

bool IsLive(const Attempt& attempt) { return attempt.state != AttemptState::kResultReady; }

}  // namespace

std::string_view StateName(AttemptState state) {
  switch (state) {
    case AttemptState::kAccepted:
      return "accepted";
    case AttemptState::kRunning:
      return "running";
    case AttemptState::kCancelling:
      return "cancelling";
    case AttemptState::kResultReady:
      return "result_ready";
  }
  return "";
}

AgentCore::AgentCore(Identity identity, Offer offer, JournalContents contents)
    : identity_(std::move(identity)), offer_(std::move(offer)), incarnation_(std::move(contents.incarnation)) {
  state_.fence = std::move(contents.fence);
  state_.is_draining = contents.is_draining;
  attempts_ = std::move(contents.attempts);
  retired_ = std::move(contents.retired);
  BeginBatch();
}

void AgentCore::BeginBatch() {
  saved_state_ = state_;
  saved_attempts_.clear();
  saved_retired_.clear();
}

void AgentCore::Rollback() {
  state_ = saved_state_;
  for (auto& [id, attempt] : saved_attempts_) {
    attempts_.erase(id);
    if (attempt.has_value()) attempts_[id] = *std::move(attempt);
  }
  for (auto& [id, retired] : saved_retired_) {
    retired_.erase(id);
    if (retired.has_value()) retired_[id] = *std::move(retired);
  }
  BeginBatch();
}

void AgentCore::Step(const Event& event, Moment now, Outcome* out) {
  now_ = now;
  out_ = out;
  const int32_t revision = state_.revision;
  std::visit([this](const auto& typed) { On(typed); }, event);
  if (state_.revision != revision) AnswerPendingSync();
  out_ = nullptr;
}

std::optional<int64_t> AgentCore::NextDeadline() const {
  std::optional<int64_t> next;
  const auto consider = [&next](int64_t deadline) {
    if (deadline > 0 && (!next || deadline < *next)) next = deadline;
  };
  for (const auto& [id, attempt] : attempts_) {
    if (!IsLive(attempt)) continue;
    consider(attempt.kill_at_ns);
    if (attempt.cause != EndCause::kNone) continue;
    consider(attempt.runtime_deadline_ns);
    if (attempt.request.on_disconnect() == "KILL") consider(state_.lease_until_ns);
  }
  if (state_.pending_sync) consider(state_.pending_sync->deadline_ns);
  return next;
}

bool AgentCore::has_live_attempts() const {
  return std::any_of(attempts_.begin(), attempts_.end(), [](const auto& entry) { return IsLive(entry.second); });
}

// Recovery: what has no report is interrupted and never spawned again. A worker of this boot may still be alive.
void AgentCore::On(const AgentStarted&) {
  std::vector<std::string> unfinished;
  for (const auto& [id, attempt] : attempts_) {
    if (IsLive(attempt)) unfinished.push_back(id);
  }
  for (const std::string& id : unfinished) {
    Attempt& attempt = EditAttempt(id);
    attempt.state = AttemptState::kCancelling;
    if (attempt.cause == EndCause::kNone) {
      attempt.cause = EndCause::kAgentRestarted;
      attempt.reason = "the agent was restarted while it ran";
    }
    if (attempt.process && attempt.process->boot_id == identity_.boot_id) {
      out_->effects.push_back(KillStaleWorker{id, *attempt.process});
    } else {
      Finish(id, {});
    }
  }
  state_.is_recovered = true;
}

void AgentCore::On(const WorkerSpawned& event) {
  // It may have died behind its gate, and that been told first.
  if (!IsKnownLive(event.attempt_id)) return;
  Attempt& attempt = EditAttempt(event.attempt_id);
  attempt.process = event.process;
  if (attempt.cause != EndCause::kNone) {  // ended before it began: it dies behind its gate
    out_->effects.push_back(SignalWorker{event.attempt_id, true});
    return;
  }
  attempt.state = AttemptState::kRunning;
  attempt.started_unix_s = now_.unix_s();
  attempt.runtime_deadline_ns = now_.boottime_ns + SecondsToNanos(attempt.request.max_runtime_s());
  out_->writes.push_back(PutAttempt{attempt});
  out_->effects.push_back(OpenGate{event.attempt_id});
  ++state_.revision;
  Announce(event.attempt_id);
}

void AgentCore::On(const SpawnFailed& event) {
  v1::AttemptReport draft;
  draft.set_outcome("failed");
  draft.set_retryable(true);
  draft.mutable_failure()->set_kind("spawn_failed");
  draft.mutable_failure()->set_message(event.reason.message());
  draft.mutable_failure()->set_hint(event.reason.hint());
  Finish(event.attempt_id, std::move(draft));
}

void AgentCore::On(const WorkerEnded& event) { Finish(event.attempt_id, event.draft); }

void AgentCore::On(const StaleWorkerGone& event) { Finish(event.attempt_id, {}); }

void AgentCore::On(const CapacityChanged& event) {
  state_.capacity = event.status;
  ++state_.revision;
}

void AgentCore::On(const StopRequested&) {
  state_.is_stopping = true;
  ++state_.revision;
  std::vector<std::string> live;
  for (const auto& [id, attempt] : attempts_) {
    if (IsLive(attempt)) live.push_back(id);
  }
  for (const std::string& id : live) {
    BeginEnding(id, EndCause::kAgentStopped, "the agent was stopped while it ran", kDefaultGraceS);
  }
  StopWhenIdle();
}

void AgentCore::On(const Tick&) {
  CheckDeadlines();
  if (state_.pending_sync && now_.boottime_ns >= state_.pending_sync->deadline_ns) AnswerPendingSync();
}

void AgentCore::CheckDeadlines() {
  struct Due {
    std::string id;
    EndCause cause;
  };
  std::vector<Due> due;
  for (const auto& [id, attempt] : attempts_) {
    if (!IsLive(attempt)) continue;
    const bool is_leased = attempt.request.on_disconnect() == "KILL";
    if (attempt.cause != EndCause::kNone) {
      if (attempt.kill_at_ns > 0 && now_.boottime_ns >= attempt.kill_at_ns) due.push_back({id, EndCause::kNone});
    } else if (attempt.runtime_deadline_ns > 0 && now_.boottime_ns >= attempt.runtime_deadline_ns) {
      due.push_back({id, EndCause::kTimedOut});
    } else if (is_leased && now_.boottime_ns >= state_.lease_until_ns) {
      due.push_back({id, EndCause::kLeaseExpired});
    }
  }
  for (const Due& entry : due) {
    if (entry.cause == EndCause::kNone) {
      EditAttempt(entry.id).kill_at_ns = 0;
      out_->effects.push_back(SignalWorker{entry.id, true});
    } else {
      BeginEnding(entry.id, entry.cause, "", kDefaultGraceS);
    }
  }
}

// The first cause stands; a later request may only bring the kill forward.
void AgentCore::BeginEnding(const std::string& attempt_id, EndCause cause, const std::string& reason, double grace_s) {
  Attempt& attempt = EditAttempt(attempt_id);
  const double bounded_s = std::clamp(grace_s > 0 ? grace_s : kDefaultGraceS, 0.0, kMaxGraceS);
  const int64_t kill_at_ns = now_.boottime_ns + SecondsToNanos(bounded_s);
  if (attempt.cause != EndCause::kNone) {
    if (attempt.kill_at_ns > kill_at_ns) attempt.kill_at_ns = kill_at_ns;
    return;
  }
  attempt.cause = cause;
  attempt.reason = reason;
  // A worker that is not spawned yet dies when it is: see WorkerSpawned.
  if (attempt.state == AttemptState::kRunning) {
    attempt.kill_at_ns = kill_at_ns;
    out_->effects.push_back(SignalWorker{attempt_id, false});
  }
  attempt.state = AttemptState::kCancelling;
  // So that a cancel that was confirmed still counts when this agent dies before the worker.
  if (cause == EndCause::kCancelled) out_->writes.push_back(PutAttempt{attempt});
  ++state_.revision;
  Announce(attempt_id);
}

bool AgentCore::IsKnownLive(const std::string& attempt_id) const {
  const auto found = attempts_.find(attempt_id);
  return found != attempts_.end() && IsLive(found->second);
}

// Once: the first report stands, whoever tells of an end again.
void AgentCore::Finish(const std::string& attempt_id, v1::AttemptReport draft) {
  if (!IsKnownLive(attempt_id)) return;
  Attempt& attempt = EditAttempt(attempt_id);
  const v1::AttemptReport report = CompleteReport(attempt, std::move(draft), now_.unix_s());
  PutReport write{attempt_id, "", report.SerializeAsString()};
  write.sha256 = Sha256Hex(write.bytes);
  attempt.state = AttemptState::kResultReady;
  attempt.reason = report.outcome();
  attempt.report_sha256 = write.sha256;
  attempt.report_bytes = static_cast<double>(write.bytes.size());
  attempt.runtime_deadline_ns = attempt.kill_at_ns = 0;
  out_->writes.push_back(std::move(write));
  ++state_.revision;
  Announce(attempt_id);
  StopWhenIdle();
}

void AgentCore::StopWhenIdle() {
  if (state_.is_stopping && !has_live_attempts()) out_->effects.push_back(Stopped{});
}

void AgentCore::Retire(const std::string& attempt_id, RetiredAttempt retired) {
  EraseAttempt(attempt_id);
  out_->writes.push_back(RetireAttempt{attempt_id, retired});
  SetRetired(attempt_id, std::move(retired));
  ++state_.revision;
}

void AgentCore::On(const PurgeDue&) {
  std::vector<std::string> expired;
  for (const auto& [id, retired] : retired_) {
    const bool is_of_this_boot = retired.keep_until.boot_id() == identity_.boot_id;
    if (!is_of_this_boot || now_.boottime_ns > retired.keep_until.boottime_ns()) expired.push_back(id);
  }
  for (const std::string& id : expired) {
    SetRetired(id, std::nullopt);
    out_->writes.push_back(ForgetRetired{id});
  }
}

void AgentCore::Announce(const std::string& attempt_id) {
  if (auto status = KnownStatus(attempt_id)) out_->effects.push_back(AnnounceStatus{*std::move(status)});
}

void AgentCore::Log(bool is_warning, std::string text) {
  out_->effects.push_back(LogLine{is_warning, std::move(text)});
}

Attempt& AgentCore::EditAttempt(const std::string& attempt_id) {
  const auto found = attempts_.find(attempt_id);
  if (found == attempts_.end()) {
    saved_attempts_.try_emplace(attempt_id, std::nullopt);
    return attempts_[attempt_id];
  }
  saved_attempts_.try_emplace(attempt_id, found->second);
  return found->second;
}

void AgentCore::EraseAttempt(const std::string& attempt_id) {
  const auto found = attempts_.find(attempt_id);
  if (found == attempts_.end()) return;
  saved_attempts_.try_emplace(attempt_id, std::move(found->second));
  attempts_.erase(found);
}

void AgentCore::SetRetired(const std::string& attempt_id, std::optional<RetiredAttempt> retired) {
  const auto found = retired_.find(attempt_id);
  saved_retired_.try_emplace(attempt_id,
                             found == retired_.end() ? std::nullopt : std::optional<RetiredAttempt>(found->second));
  if (retired.has_value()) {
    retired_[attempt_id] = *std::move(retired);
  } else {
    retired_.erase(attempt_id);
  }
}

}  // namespace fleetmark::agent
