#include <chrono>
#include <utility>

#include "agent/agent_loop.h"
#include "common/build_info.h"
#include "common/protocol_version.h"

// The side of AgentLoop that other threads see.
namespace fleetmark::agent {
namespace {

constexpr auto kCancelCheck = std::chrono::seconds(1);

}  // namespace

void AgentLoop::Post(Event event) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(event));
  wake_.notify_one();
}

void AgentLoop::Answered(CallId call, Answer answer) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  found->second.set_value(std::move(answer));
  calls_.erase(found);
}

std::pair<CallId, std::future<AgentLoop::Answer>> AgentLoop::NewCall() {
  const std::lock_guard lock(mutex_);
  std::promise<Answer> promise;
  auto future = promise.get_future();
  if (is_closed_) {
    promise.set_value({Unavailable("the agent is being stopped"), {}});
    return {0, std::move(future)};
  }
  calls_[next_call_] = std::move(promise);
  return {next_call_++, std::move(future)};
}

template <typename Call, typename Response, typename Request>
StatusOr<Response> AgentLoop::CallAndWait(const Request& request, const std::function<bool()>& is_cancelled) {
  auto [call, future] = NewCall();
  if (call != 0) Post(Call{call, request});
  while (is_cancelled && future.wait_for(kCancelCheck) != std::future_status::ready) {
    if (!is_cancelled()) continue;
    Post(CallGone{call});
    Answered(call, {});
    return Status(StatusCode::kCancelled, "the caller has gone");
  }
  Answer answer = future.get();
  if (!answer.status.ok()) return answer.status;
  return std::get<Response>(std::move(answer.response));
}

StatusOr<v1::AttemptStatus> AgentLoop::StartRun(const v1::StartRunRequest& request) {
  return CallAndWait<StartRunCall, v1::AttemptStatus>(request);
}

StatusOr<v1::AttemptStatus> AgentLoop::CancelRun(const v1::CancelRunRequest& request) {
  return CallAndWait<CancelRunCall, v1::AttemptStatus>(request);
}

StatusOr<v1::DrainResponse> AgentLoop::Drain(const v1::DrainRequest& request) {
  return CallAndWait<DrainCall, v1::DrainResponse>(request);
}

StatusOr<v1::SyncResponse> AgentLoop::Sync(const v1::SyncRequest& request, const std::function<bool()>& is_cancelled) {
  return CallAndWait<SyncCall, v1::SyncResponse>(request, is_cancelled);
}

v1::AgentDescription AgentLoop::Describe() const {
  v1::AgentDescription description;
  description.set_agent_id(agent_id_);
  description.set_boot_id(boot_id_);
  description.set_incarnation(incarnation_);
  description.set_process_id(process_id_);
  description.set_name(options_.name);
  description.set_version(std::string(GetBuildInfo().version));
  description.set_protocol_min(SpokenProtocols().min);
  description.set_protocol_max(SpokenProtocols().max);
  for (v1::Device& device : DevicesOf(options_.offer)) *description.add_devices() = std::move(device);
  for (const v1::Runtime& runtime : options_.offer.runtimes) *description.add_runtimes() = runtime;
  for (const std::string& feature : options_.offer.features) description.add_features(feature);
  const std::lock_guard lock(mutex_);
  description.set_cluster_id(fence_.cluster_id);
  description.set_max_coordinator_epoch_seen(fence_.coordinator_epoch);
  description.set_coordinator_instance_id_seen(fence_.coordinator_instance_id);
  return description;
}

}  // namespace fleetmark::agent
