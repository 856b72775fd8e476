#include <algorithm>
#include <set>
#include <utility>

#include "agent/admission.h"
#include "agent/agent_core.h"
#include "agent/fence.h"

// What AgentCore answers to its callers.
namespace fleetmark::agent {
namespace {

// A Sync never holds its caller longer, whatever it asks for.
constexpr double kMaxWaitS = 60;
// How long a tombstone stands when the cancel did not say until when it is needed.
constexpr int64_t kTombstoneNs = 3600 * kNanosPerSecond;

}  // namespace

void AgentCore::On(const StartRunCall& event) {
  const v1::StartRunRequest& request = event.request;
  if (const auto known = KnownStatus(request.attempt_id())) {
    const auto attempt = attempts_.find(request.attempt_id());
    const std::string& hash = attempt != attempts_.end() ? attempt->second.request.spec_sha256()
                                                         : retired_.at(request.attempt_id()).spec_sha256;
    if (!hash.empty() && hash != request.spec_sha256()) {
      ReplyTo(event.call, AlreadyExists("attempt " + request.attempt_id() + " is known here with another specification",
                                        "", "other_spec"));
    } else {
      ReplyTo(event.call, OkStatus(), *known);
    }
    return;
  }
  if (const Status status = CheckAddressee(request); !status.ok()) {
    ReplyTo(event.call, status);
    return;
  }
  if (const Status status = CheckStart(event); !status.ok()) {
    // What is refused now is tried elsewhere: should the network deliver it twice, the second must start nothing. In
    // memory alone, because a second delivery is the work of one connection, which ends with this process.
    SetRetired(request.attempt_id(), RetiredAttempt{true, status.message(), "", request.start_by()});
    ReplyTo(event.call, status);
    return;
  }
  AcceptFence(request.fence());
  Attempt& attempt = EditAttempt(request.attempt_id());
  attempt.request = request;
  attempt.request.clear_fence();
  attempt.accepted_unix_s = now_.unix_s();
  out_->writes.push_back(PutAttempt{attempt});
  out_->effects.push_back(
      SpawnWorker{request.attempt_id(), SpecForRunner(request), DeviceUuid(request), request.telemetry()});
  ++state_.revision;
  Announce(request.attempt_id());  // before the answer, so that its caller can watch it
  ReplyTo(event.call, OkStatus(), *KnownStatus(request.attempt_id()));
}

Status AgentCore::CheckIncarnation(const std::string& planned_for) const {
  if (planned_for == incarnation_) return OkStatus();
  return FailedPrecondition("this agent has a new journal since the run was planned", "", "other_incarnation");
}

// Whether it is for this agent and this moment; what is not never will be.
Status AgentCore::CheckAddressee(const v1::StartRunRequest& request) const {
  FLEETMARK_RETURN_IF_ERROR(CheckFence(state_.fence, request.fence()));
  FLEETMARK_RETURN_IF_ERROR(CheckIncarnation(request.incarnation()));
  if (request.start_by().boot_id() != identity_.boot_id || now_.boottime_ns > request.start_by().boottime_ns()) {
    return FailedPrecondition("StartRun came after its start_by", "", "too_late");
  }
  return OkStatus();
}

// Whether this agent can take it now. A refusal leaves nothing on disk, not even its fence.
Status AgentCore::CheckStart(const StartRunCall& event) const {
  const v1::StartRunRequest& request = event.request;
  if (!state_.is_recovered) {
    return FailedPrecondition("this agent is still taking care of what it ran before it was restarted", "", "starting");
  }
  if (state_.is_stopping) return FailedPrecondition("this agent is being stopped", "", "draining");
  if (state_.is_draining)
    return FailedPrecondition("this agent is draining", "end it with `fleetmark agents resume`", "draining");
  if (!state_.capacity.ok()) return state_.capacity;
  FLEETMARK_RETURN_IF_ERROR(CheckRequest(offer_, request));
  if (request.on_disconnect() == "KILL" && now_.boottime_ns >= state_.lease_until_ns) {
    return FailedPrecondition("a KILL run needs a lease, and this agent holds none", "", "lease_expired");
  }
  return event.lock;
}

void AgentCore::On(const CancelRunCall& event) {
  const v1::CancelRunRequest& request = event.request;
  Status status = CheckFence(state_.fence, request.fence());
  if (status.ok() && request.attempt_id().empty()) status = InvalidArgument("CancelRun lacks attempt_id");
  if (status.ok() && !request.incarnation().empty()) status = CheckIncarnation(request.incarnation());
  if (!status.ok()) {
    ReplyTo(event.call, status);
    return;
  }
  AcceptFence(request.fence());
  const auto attempt = attempts_.find(request.attempt_id());
  if (attempt != attempts_.end() && attempt->second.state != AttemptState::kResultReady) {
    BeginEnding(request.attempt_id(), EndCause::kCancelled, request.reason(), request.grace_s());
  } else if (attempt == attempts_.end() && retired_.count(request.attempt_id()) == 0) {
    RetiredAttempt tombstone;
    tombstone.is_tombstone = true;
    tombstone.reason = request.reason();
    tombstone.keep_until = request.keep_until();
    if (tombstone.keep_until.boot_id().empty()) {
      tombstone.keep_until.set_boot_id(identity_.boot_id);
      tombstone.keep_until.set_boottime_ns(now_.boottime_ns + kTombstoneNs);
    }
    Retire(request.attempt_id(), std::move(tombstone));
  }
  ReplyTo(event.call, OkStatus(), *KnownStatus(request.attempt_id()));
}

void AgentCore::On(const SyncCall& event) {
  const v1::SyncRequest& request = event.request;
  Status status = CheckFence(state_.fence, request.fence());
  if (status.ok() && request.incarnation() != incarnation_) {
    status =
        FailedPrecondition("this agent has a new journal since the coordinator last saw it", "", "other_incarnation");
  }
  if (!status.ok()) {
    ReplyTo(event.call, status);
    return;
  }
  const bool is_first_of_coordinator =
      state_.fence.coordinator_instance_id != request.fence().coordinator_instance_id();
  AcceptFence(request.fence());
  state_.last_sync_ns = now_.boottime_ns;
  if (request.lease().boot_id() == identity_.boot_id) {
    state_.lease_until_ns = std::max<int64_t>(state_.lease_until_ns, request.lease().until_boottime_ns());
  }
  for (const v1::Ack& ack : request.acks()) Acknowledge(ack);
  // One that was restored from a backup may count on more than it knows of.
  if (!is_first_of_coordinator) CancelUndesired(request);
  // One coordinator has one Sync at a time: an older one is of a connection that is gone.
  AnswerPendingSync();
  if (request.known_revision() != state_.revision || !(request.wait_s() > 0)) {
    ReplyTo(event.call, OkStatus(), DescribeState());
    return;
  }
  const double wait_s = std::min(request.wait_s(), kMaxWaitS);
  state_.pending_sync = PendingSync{event.call, now_.boottime_ns + SecondsToNanos(wait_s)};
}

void AgentCore::On(const DrainCall& event) {
  if (const Status status = CheckFence(state_.fence, event.request.fence()); !status.ok()) {
    ReplyTo(event.call, status);
    return;
  }
  AcceptFence(event.request.fence());
  if (state_.is_draining != event.request.on()) {
    state_.is_draining = event.request.on();
    out_->writes.push_back(PutDraining{state_.is_draining});
    ++state_.revision;
  }
  v1::DrainResponse response;
  response.set_draining(state_.is_draining);
  ReplyTo(event.call, OkStatus(), response);
}

void AgentCore::On(const CallGone& event) {
  if (state_.pending_sync && state_.pending_sync->call == event.call) state_.pending_sync.reset();
}

std::optional<v1::AttemptStatus> AgentCore::KnownStatus(const std::string& attempt_id) const {
  v1::AttemptStatus status;
  status.set_attempt_id(attempt_id);
  if (const auto found = attempts_.find(attempt_id); found != attempts_.end()) {
    status.set_state(std::string(StateName(found->second.state)));
    status.set_reason(found->second.reason);
    status.set_run_id(found->second.request.run_id());
    status.set_device(found->second.request.spec().device());
    status.set_spec_sha256(found->second.request.spec_sha256());
    return status;
  }
  if (const auto found = retired_.find(attempt_id); found != retired_.end()) {
    status.set_state(found->second.is_tombstone ? "tombstone" : "pruned");
    status.set_reason(found->second.reason);
    return status;
  }
  return std::nullopt;
}

void AgentCore::AcceptFence(const v1::Fence& fence) {
  if (!IsHigher(state_.fence, fence)) return;
  state_.fence = ToRecord(fence);
  out_->writes.push_back(PutFence{state_.fence});
}

// Prunes only what was received as it was sent.
void AgentCore::Acknowledge(const v1::Ack& ack) {
  const auto found = attempts_.find(ack.attempt_id());
  if (found == attempts_.end() || found->second.state != AttemptState::kResultReady) return;
  if (found->second.report_sha256 != ack.sha256()) {
    Log(true, "the coordinator acknowledged other bytes than those of attempt " + ack.attempt_id() + "; it is kept");
    return;
  }
  RetiredAttempt pruned;
  pruned.reason = found->second.reason;
  pruned.spec_sha256 = found->second.request.spec_sha256();
  pruned.keep_until = found->second.request.start_by();
  Retire(ack.attempt_id(), std::move(pruned));
}

void AgentCore::CancelUndesired(const v1::SyncRequest& request) {
  const std::set<std::string> desired(request.desired_attempt_ids().begin(), request.desired_attempt_ids().end());
  std::vector<std::string> undesired;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.state == AttemptState::kResultReady || attempt.cause != EndCause::kNone) continue;
    if (desired.count(id) == 0) undesired.push_back(id);
  }
  for (const std::string& id : undesired) {
    BeginEnding(id, EndCause::kCancelled, "the coordinator does not count on it any more", 0);
  }
}

v1::SyncResponse AgentCore::DescribeState() const {
  v1::SyncResponse response;
  response.set_boot_id(identity_.boot_id);
  response.set_boottime_ns(now_.boottime_ns);
  response.set_incarnation(incarnation_);
  response.set_process_id(identity_.process_id);
  response.set_revision(state_.revision);
  response.set_draining(state_.is_draining);
  response.set_not_accepting(state_.is_stopping ? "the agent is being stopped" : state_.capacity.message());
  for (const auto& [id, attempt] : attempts_) {
    *response.add_attempts() = *KnownStatus(id);
    if (attempt.state != AttemptState::kResultReady) continue;
    v1::PendingResult* result = response.add_pending_results();
    result->set_attempt_id(id);
    result->set_sha256(attempt.report_sha256);
    result->set_size_bytes(attempt.report_bytes);
  }
  // Pruned ones are left out: the coordinator has their results, and there can be thousands.
  for (const auto& [id, retired] : retired_) {
    if (retired.is_tombstone) *response.add_attempts() = *KnownStatus(id);
  }
  return response;
}

void AgentCore::AnswerPendingSync() {
  if (!state_.pending_sync) return;
  const CallId call = state_.pending_sync->call;
  state_.pending_sync.reset();
  ReplyTo(call, OkStatus(), DescribeState());
}

void AgentCore::ReplyTo(CallId call, Status status, CallResponse response) {
  out_->effects.push_back(Reply{call, std::move(status), std::move(response)});
}

}  // namespace fleetmark::agent
