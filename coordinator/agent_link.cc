#include "coordinator/agent_link.h"

#include <algorithm>

#include "common/time_text.h"
#include "coordinator/agent_index.h"
#include "coordinator/order_queue.h"
#include "coordinator/reconcile.h"
#include "coordinator/registry.h"
#include "coordinator/run_state.h"

namespace fleetmark {
namespace {

constexpr double kFirstRetryS = 0.2;
constexpr double kMostRetryS = 10;
constexpr double kRefusedRetryS = 30;  // when the agent answers and will not have us
// Of the time after which silence counts: three answers come within it, whatever their ways take.
constexpr double kPollShare = 0.3;

v1::SyncRequest MakeSync(StepContext& step, Agent& agent) {
  const CoreConfig& config = step.state.config;
  v1::SyncRequest request;
  *request.mutable_fence() = MakeFence(step.state, agent.seq);
  for (const auto& [id, attempt] : agent.attempts) request.add_desired_attempt_ids(id);
  // Whether these are wanted is not known yet.
  for (const auto& [id, stray] : agent.strays) {
    if (!stray.is_looked_up) request.add_desired_attempt_ids(id);
  }
  for (auto& [id, ack] : agent.acks) {
    v1::Ack* told = request.add_acks();
    told->set_attempt_id(id);
    told->set_sha256(ack.sha256);
    if (ack.sent_with == 0) ack.sent_with = agent.call;
  }
  agent.acks_waiting_since_ns = 0;
  request.set_known_revision(agent.known_revision);
  request.set_incarnation(agent.record.description.incarnation());
  if (agent.is_synced) {
    // From when the agent read its clock, so by our clock it cannot end later than a lease after we heard of that.
    request.mutable_lease()->set_boot_id(agent.boot_id);
    request.mutable_lease()->set_until_boottime_ns(agent.boottime_ns + SecondsToNanos(config.lease_s));
    agent.lease_ends_ns = std::max(agent.lease_ends_ns, agent.boottime_read_ns + SecondsToNanos(config.lease_s));
  }
  // Until the first lease has arrived the agent shall answer at once.
  request.set_wait_s(agent.is_leased ? std::min(config.offline_after_s, config.lease_s) * kPollShare : 0);
  return request;
}

void SendSync(StepContext& step, Agent& agent) {
  agent.link = Link::kSyncing;
  agent.call = step.state.next_call++;
  step.effects.calls.push_back(SyncCall{agent.call, agent.id(), agent.record.address, MakeSync(step, agent)});
}

void RetryLater(StepContext& step, Agent& agent, int64_t pause_ns) {
  agent.link = Link::kWaiting;
  agent.retry_at_ns = step.now.boottime_ns + pause_ns;
}

void OnSyncFailed(StepContext& step, Agent& agent, const Status& status) {
  ++agent.failures;
  const int64_t backoff = BackoffNs(agent.failures, kFirstRetryS, kMostRetryS);
  const bool broke = status.kind().empty() && status.code() == StatusCode::kUnavailable && agent.failures == 1;
  if (broke || status.kind() == "other_incarnation") {
    Dial(step, agent);  // is anybody there, and who?
  } else if (status.kind() == "stale_fence") {
    // An order overtook it; the next one carries the newest seq.
    RetryLater(step, agent, agent.failures == 1 ? 0 : backoff);
  } else if (!status.kind().empty()) {
    GoOffline(step, agent, status.message());
    RetryLater(step, agent, SecondsToNanos(kRefusedRetryS));
  } else {
    RetryLater(step, agent, backoff);
  }
}

}  // namespace

int64_t BoottimeThere(const Agent& agent, int64_t now_ns) {
  return agent.boottime_ns + (now_ns - agent.boottime_read_ns);
}

int64_t BoottimeHere(const Agent& agent, int64_t boottime_ns) {
  return agent.boottime_read_ns + (boottime_ns - agent.boottime_ns);
}

void Dial(StepContext& step, Agent& agent) {
  agent.link = Link::kDescribing;
  agent.call = step.state.next_call++;
  step.effects.calls.push_back(DescribeCall{agent.call, agent.record.address});
}

void DropLink(StepContext& step, Agent& agent) {
  if (agent.link == Link::kSyncing) step.effects.calls.push_back(EndSync{agent.call});
  agent.link = Link::kWaiting;
  agent.call = 0;
}

void ConnectNow(StepContext& step, Agent& agent) {
  DropLink(step, agent);
  agent.failures = 0;
  agent.is_synced = false;
  agent.is_leased = false;
  agent.known_revision = 0;
  agent.refused_until_ns = 0;
  agent.last_heard_ns = step.now.boottime_ns;
  if (!agent.is_online) {
    agent.is_online = true;
    agent.offline_reason.clear();
    agent.record.offline_since_unix_s = 0;
    step.effects.writes.push_back(PutAgent{agent.record});
    step.Log(Severity::kInfo, "agent " + agent.name() + " is reachable at " + agent.record.address);
    for (const auto& [id, attempt] : agent.attempts) step.effects.changed_runs.push_back(attempt->record.run_id);
  }
  SendSync(step, agent);
}

void GoOffline(StepContext& step, Agent& agent, const std::string& reason) {
  agent.offline_reason = reason;
  AbandonOrders(step, agent);
  if (!agent.is_online) return;
  agent.is_online = false;
  agent.is_synced = false;
  agent.is_leased = false;
  agent.record.offline_since_unix_s = step.now.unix_s();
  step.effects.writes.push_back(PutAgent{agent.record});
  step.Log(Severity::kWarning, "agent " + agent.name() + " is offline: " + reason);
  for (const auto& [id, attempt] : agent.attempts) step.effects.changed_runs.push_back(attempt->record.run_id);
}

void OnLinkDescribed(StepContext& step, const Described& event) {
  Agent* dialled = FindDialled(step.state, event.call);
  if (dialled == nullptr) return;
  Agent& agent = *dialled;
  agent.call = 0;
  Status status = event.status;
  int64_t pause_ns = BackoffNs(++agent.failures, kFirstRetryS, kMostRetryS);
  if (status.ok()) {
    pause_ns = SecondsToNanos(kRefusedRetryS);
    const Agent* namesake = FindAgentByName(step.state, event.description.name());
    if (event.description.agent_id() != agent.id()) {
      status =
          FailedPrecondition("another agent (" + event.description.name() + ") answers at " + agent.record.address);
    } else if (namesake != nullptr && namesake != &agent) {
      status = FailedPrecondition("it now calls itself " + event.description.name() + ", as another agent does");
    } else {
      status = CheckCompatible(step.state, event.description);
    }
  }
  if (status.ok()) {
    AdoptDescription(step, agent, event.description);
    ConnectNow(step, agent);
    return;
  }
  // Silence is judged by TickLink; whoever refuses the connection, or us, is offline now.
  if (event.status.ok() || status.code() == StatusCode::kUnavailable) GoOffline(step, agent, status.ToString());
  RetryLater(step, agent, pause_ns);
}

void OnSynced(StepContext& step, const Synced& event) {
  Agent* agent = FindAgent(step.state, event.agent_id);
  if (agent == nullptr || agent->link != Link::kSyncing || agent->call != event.call) return;
  agent->link = Link::kWaiting;
  if (!event.status.ok()) return OnSyncFailed(step, *agent, event.status);
  const v1::SyncResponse& response = event.response;
  const v1::AgentDescription& known = agent->record.description;
  if (response.process_id() != known.process_id() || response.incarnation() != known.incarnation()) {
    return Dial(step, *agent);
  }
  agent->failures = 0;
  agent->last_heard_ns = step.now.boottime_ns;
  agent->record.last_seen_unix_s = step.now.unix_s();
  agent->is_leased = agent->is_synced && agent->boot_id == response.boot_id();
  agent->is_synced = true;
  agent->boot_id = response.boot_id();
  // No clock of any machine is there, and sums with it stay sums.
  agent->boottime_ns = std::clamp<int64_t>(response.boottime_ns(), 0, std::numeric_limits<int64_t>::max() / 2);
  agent->boottime_read_ns = step.now.boottime_ns;
  agent->known_revision = response.revision();
  Reconcile(step, *agent, event.call, response);
  if (agent->link == Link::kWaiting) SendSync(step, *agent);
}

void SyncAgain(StepContext& step, Agent& agent) {
  if (agent.link != Link::kSyncing) return;
  DropLink(step, agent);
  SendSync(step, agent);
}

void AskWhatItHas(StepContext& step, Agent& agent) {
  agent.known_revision = 0;
  SyncAgain(step, agent);
}

void TickLink(StepContext& step, Agent& agent) {
  const int64_t now = step.now.boottime_ns;
  if (agent.link == Link::kWaiting && now >= agent.retry_at_ns) {
    if (agent.is_online && agent.is_synced) {
      SendSync(step, agent);
    } else {
      Dial(step, agent);
    }
  }
  const double offline_after_s = step.state.config.offline_after_s;
  if (agent.is_online && now - agent.last_heard_ns >= SecondsToNanos(offline_after_s)) {
    GoOffline(step, agent, "it has not answered for " + FormatDuration(offline_after_s));
    DropLink(step, agent);
    RetryLater(step, agent, 0);
  }
  if (agent.acks_waiting_since_ns != 0 && now - agent.acks_waiting_since_ns >= kAckDelayNs) SyncAgain(step, agent);
}

int64_t NextLinkDeadline(const CoreState& state, const Agent& agent) {
  int64_t next = kNever;
  if (agent.link == Link::kWaiting) next = agent.retry_at_ns;
  if (agent.is_online) {
    next = std::min(next, agent.last_heard_ns + SecondsToNanos(state.config.offline_after_s));
  }
  if (agent.acks_waiting_since_ns != 0 && agent.link == Link::kSyncing) {
    next = std::min(next, agent.acks_waiting_since_ns + kAckDelayNs);
  }
  return next;
}

}  // namespace fleetmark
