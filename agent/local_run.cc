#include "agent/local_run.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "common/run_spec.h"
#include "common/suggest.h"

namespace fleetmark::agent {
namespace {

constexpr auto kLook = std::chrono::milliseconds(200);
constexpr int64_t kStartWithinNs = 60 * kNanosPerSecond;

StatusOr<v1::RunnerDescription> FindRuntime(const v1::AgentDescription& agent, const std::string& name) {
  std::vector<std::string> names;
  for (const v1::Runtime& runtime : agent.runtimes()) {
    names.push_back(runtime.name());
    if (runtime.name() != name) continue;
    if (runtime.unavailable().empty()) return runtime.description();
    return FailedPrecondition("runtime " + name + " cannot be used: " + runtime.unavailable());
  }
  return InvalidArgument("there is no runtime " + name, SuggestFrom(name, names));
}

StatusOr<v1::WorkloadSpec> FindWorkload(const v1::RunnerDescription& runner, const std::string& name) {
  std::vector<std::string> names;
  for (const v1::WorkloadSpec& workload : runner.workloads()) {
    if (workload.name() == name) return workload;
    names.push_back(workload.name());
  }
  return InvalidArgument("there is no workload " + name, SuggestFrom(name, names));
}

StatusOr<v1::Device> FindDevice(const v1::RunnerDescription& runner, const v1::WorkloadSpec& workload,
                                const std::string& name) {
  std::vector<std::string> names;
  const v1::Device* best = nullptr;
  for (const v1::Device& device : runner.devices()) {
    names.push_back(device.name());
    if (device.name() == name || (name == "cuda" && device.kind() == name)) return device;
    const bool is_fit = std::count(workload.device_kinds().begin(), workload.device_kinds().end(), device.kind()) > 0;
    if (is_fit && (best == nullptr || (best->kind() == "cpu" && device.kind() != "cpu"))) best = &device;
  }
  if (name.empty() && best != nullptr) return *best;
  return InvalidArgument("this machine has no device " + name + " for " + workload.name(), SuggestFrom(name, names));
}

v1::Fence LocalFence(double seq) {
  v1::Fence fence;
  fence.set_cluster_id("this machine alone");
  fence.set_coordinator_epoch(1);
  fence.set_coordinator_instance_id("local");
  fence.set_seq(seq);
  return fence;
}

StatusOr<v1::StartRunRequest> MakeRequest(const v1::AgentDescription& agent, const LocalRunRequest& local) {
  FLEETMARK_ASSIGN_OR_RETURN(const v1::RunnerDescription runner, FindRuntime(agent, local.runtime));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::WorkloadSpec workload, FindWorkload(runner, local.workload));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::Device device, FindDevice(runner, workload, local.device));
  FLEETMARK_ASSIGN_OR_RETURN(const auto parameters, CheckParameters(workload, local.parameters));
  v1::StartRunRequest request;
  *request.mutable_fence() = LocalFence(1);
  request.set_run_id(NewId());
  request.set_attempt_id(NewId());
  request.set_incarnation(agent.incarnation());
  v1::RunSpec* spec = request.mutable_spec();
  spec->set_workload(workload.name());
  spec->set_workload_version(workload.version());
  spec->set_runtime(local.runtime);
  spec->set_device(device.name());
  spec->set_profile(local.profile);
  spec->mutable_parameters()->insert(parameters.begin(), parameters.end());
  request.set_spec_sha256(SpecSha256(*spec));
  request.add_device_uuids(device.uuid());
  request.mutable_start_by()->set_boot_id(agent.boot_id());
  request.mutable_start_by()->set_boottime_ns(RealClock().Now().boottime_ns + kStartWithinNs);
  request.set_max_runtime_s(local.timeout_s);
  request.set_on_disconnect("FINISH");
  request.set_telemetry(local.telemetry);
  return request;
}

}  // namespace

StatusOr<v1::AttemptReport> RunLocally(AgentLoop* loop, const LocalRunRequest& request,
                                       const std::function<void(const v1::RunEvent&)>& on_event,
                                       const std::function<bool()>& is_interrupted) {
  FLEETMARK_ASSIGN_OR_RETURN(const v1::StartRunRequest start, MakeRequest(loop->Describe(), request));
  if (const auto started = loop->StartRun(start); !started.ok()) return started.status();
  int next_seq = 1;
  bool has_cancelled = false;
  auto report = loop->ReadReport(start.attempt_id());
  for (; !report.ok(); report = loop->ReadReport(start.attempt_id())) {
    for (const v1::RunEvent& event : loop->watch_hub().Wait(start.attempt_id(), next_seq, kLook).events) {
      next_seq = event.seq() + 1;
      on_event(event);
    }
    if (is_interrupted() && !std::exchange(has_cancelled, true)) {
      v1::CancelRunRequest cancel;
      *cancel.mutable_fence() = LocalFence(2);
      cancel.set_attempt_id(start.attempt_id());
      cancel.set_reason("interrupted");
      if (const auto cancelled = loop->CancelRun(cancel); !cancelled.ok()) return cancelled.status();
    }
  }
  v1::AttemptReport parsed;
  if (!parsed.ParseFromString(report->bytes)) return DataLoss("the report of this run cannot be read");
  return parsed;
}

}  // namespace fleetmark::agent
