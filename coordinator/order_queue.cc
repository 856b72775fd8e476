#include "coordinator/order_queue.h"

#include <algorithm>

#include "common/protocol_version.h"
#include "common/run_spec.h"
#include "coordinator/agent_link.h"
#include "coordinator/profiles.h"
#include "coordinator/run_state.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

// Between SIGTERM and SIGKILL; a cancelled run shall free its machine within 5 s.
constexpr double kCancelGraceS = 2;
constexpr double kDefaultTimeoutS = 3600;

v1::StartRunRequest MakeStart(const CoreState& state, const Agent& agent, const Attempt& attempt) {
  const Run& run = *attempt.run;
  v1::StartRunRequest request;
  request.set_run_id(run.record.run_id);
  request.set_attempt_id(attempt.record.attempt_id);
  request.set_incarnation(attempt.record.incarnation);
  *request.mutable_spec() = run.record.spec;
  request.set_spec_sha256(SpecSha256(run.record.spec));
  for (const v1::Device& device : agent.record.description.devices()) {
    if (device.name() == run.record.spec.device()) request.add_device_uuids(device.uuid());
  }
  *request.mutable_start_by() = attempt.record.start_by;
  const double timeout_s = run.job->record.request.timeout_s();
  request.set_max_runtime_s(timeout_s > 0 ? timeout_s : kDefaultTimeoutS);
  request.set_on_disconnect(attempt.record.kill_on_disconnect ? "KILL" : "FINISH");
  if (const auto* settings = SettingsFor(state, agent, run.record)) {
    *request.mutable_profile_settings() = *settings;
    request.add_required_features(kProfileSettingsFeature);
  }
  if (const v1::SubmitRequest& asked = run.job->record.request; NeedsTelemetryFeature(asked)) {
    request.set_telemetry(asked.telemetry());
    request.add_required_features(kTelemetryFeature);
  }
  return request;
}

v1::CancelRunRequest MakeCancel(const Attempt& attempt) {
  v1::CancelRunRequest request;
  request.set_attempt_id(attempt.record.attempt_id);
  request.set_grace_s(kCancelGraceS);
  request.set_reason(attempt.run->record.cancel_requested ? attempt.run->record.cancel_reason
                                                          : "the coordinator no longer counts on it");
  *request.mutable_keep_until() = attempt.record.start_by;
  request.set_incarnation(attempt.record.incarnation);
  return request;
}

void SendNext(StepContext& step, Agent& agent) {
  while (!agent.is_order_under_way && !agent.orders.empty()) {
    const Order order = agent.orders.front();
    agent.orders.pop_front();
    OrderCall call{agent.id(), agent.record.address, {}};
    agent.seq = ++step.state.seq;
    const v1::Fence fence = MakeFence(step.state, agent.seq);
    if (order.kind == Order::Kind::kDrain) {
      v1::DrainRequest request;
      *request.mutable_fence() = fence;
      request.set_on(agent.record.draining);
      call.request = request;
    } else {
      Attempt* attempt = FindAttempt(step.state, order.attempt_id);
      if (attempt == nullptr) continue;
      if (order.kind == Order::Kind::kStart) {
        v1::StartRunRequest request = MakeStart(step.state, agent, *attempt);
        *request.mutable_fence() = fence;
        call.request = request;
      } else {
        v1::CancelRunRequest request = MakeCancel(*attempt);
        *request.mutable_fence() = fence;
        call.request = request;
      }
    }
    agent.order_under_way = order;
    agent.is_order_under_way = true;
    step.effects.calls.push_back(std::move(call));
  }
}

// Whether the agent itself has said no. Whatever may have come from the connection, or from a half-done call, leaves
// open whether the run was started.
bool IsRefusal(const Status& status) {
  if (status.kind().empty()) return false;
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kPermissionDenied:
    case StatusCode::kResourceExhausted:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

void OnStartAnswered(StepContext& step, Agent& agent, Attempt& attempt, const OrderAnswered& event) {
  attempt.is_start_pending = false;
  // An answer to an earlier Sync may have been made before the agent had this; only those from now on tell.
  attempt.absence_counts_from = step.state.next_call;
  if (event.status.ok()) {
    agent.refusals = 0;
    agent.refusal.clear();
    ApplyStatus(step, agent, attempt, event.attempt);
  } else if (IsRefusal(event.status)) {
    Refuse(step, attempt, event.status);
  } else {
    // Not known whether the agent has it: ask.
    step.effects.changed_runs.push_back(attempt.record.run_id);
    AskWhatItHas(step, agent);
  }
}

}  // namespace

v1::Fence MakeFence(const CoreState& state, int64_t seq) {
  v1::Fence fence;
  fence.set_cluster_id(state.config.epoch.cluster_id);
  fence.set_coordinator_epoch(state.config.epoch.coordinator_epoch);
  fence.set_coordinator_instance_id(state.config.instance_id);
  fence.set_seq(static_cast<double>(seq));
  return fence;
}

void OrderStart(StepContext& step, Agent& agent, Attempt& attempt) {
  attempt.is_start_pending = true;
  agent.orders.push_back({Order::Kind::kStart, attempt.record.attempt_id});
  SendNext(step, agent);
}

void OrderCancel(StepContext& step, Agent& agent, Attempt& attempt) {
  if (attempt.is_cancel_pending || !agent.is_online) return;
  attempt.is_cancel_pending = true;
  agent.orders.push_back({Order::Kind::kCancel, attempt.record.attempt_id});
  SendNext(step, agent);
}

void OrderDrain(StepContext& step, Agent& agent) {
  const auto is_drain = [](const Order& order) { return order.kind == Order::Kind::kDrain; };
  if (!agent.is_online || std::any_of(agent.orders.begin(), agent.orders.end(), is_drain)) return;
  agent.orders.push_back({Order::Kind::kDrain, ""});
  SendNext(step, agent);
}

void OnOrderAnswered(StepContext& step, const OrderAnswered& event) {
  Agent* agent = FindAgent(step.state, event.agent_id);
  if (agent == nullptr || !agent->is_order_under_way) return;
  agent->is_order_under_way = false;
  if (event.status.ok()) agent->last_heard_ns = step.now.boottime_ns;
  const Order order = agent->order_under_way;
  Attempt* attempt = FindAttempt(step.state, order.attempt_id);
  if (order.kind == Order::Kind::kDrain) {
    // On failure the next answer to Sync shows that it is still owed.
    if (event.status.ok()) agent->is_draining_there = agent->record.draining;
  } else if (attempt != nullptr && order.kind == Order::Kind::kStart) {
    OnStartAnswered(step, *agent, *attempt, event);
  } else if (attempt != nullptr) {
    attempt->is_cancel_pending = false;
    if (event.status.ok()) {
      attempt->is_cancelling = true;
      attempt->cancel_failures = 0;
      ApplyStatus(step, *agent, *attempt, event.attempt);
    } else if (++attempt->cancel_failures == 1) {
      AskWhatItHas(step, *agent);  // its answer shows whether the cancel is still owed
    }
    // An agent that cannot do it, for its disk is full, is asked again after its next answer to a Sync, and not at
    // once.
  }
  if (agent->is_online) {
    SendNext(step, *agent);
  } else {
    AbandonOrders(step, *agent);
  }
}

void AbandonOrders(StepContext& step, Agent& agent) {
  std::deque<Order> orders;
  orders.swap(agent.orders);
  for (const Order& order : orders) {
    Attempt* attempt = FindAttempt(step.state, order.attempt_id);
    if (attempt == nullptr) continue;
    if (order.kind == Order::Kind::kCancel) attempt->is_cancel_pending = false;
    if (order.kind == Order::Kind::kStart) {
      Refuse(step, *attempt, Unavailable("the agent went out of reach before the run was sent", "", "not_sent"));
    }
  }
}

}  // namespace fleetmark
