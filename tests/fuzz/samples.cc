#include "tests/fuzz/samples.h"

#include "common/clock.h"
#include "common/protocol_version.h"
#include "common/run_spec.h"
#include "common/vocabulary.h"

namespace fleetmark::fuzz {
namespace {

v1::ParameterSpec Parameter(const std::string& name, const std::string& type, const std::string& default_value) {
  v1::ParameterSpec parameter;
  parameter.set_name(name);
  parameter.set_type(type);
  parameter.set_default_value(default_value);
  if (type == "int" || type == "double") {
    parameter.set_min(0);
    parameter.set_max(64);
  }
  return parameter;
}

}  // namespace

v1::Runtime SampleRuntime() {
  v1::Runtime runtime;
  runtime.set_name(kOwnRuntime);
  v1::RunnerDescription* runner = runtime.mutable_description();
  runner->set_runtime(kOwnRuntime);
  for (const std::string name : {"cpu", "cuda:0"}) {
    v1::Device* device = runner->add_devices();
    device->set_name(name);
    device->set_kind(name.substr(0, name.find(':')));
    device->set_uuid("uuid-" + name);
  }
  v1::WorkloadSpec* workload = runner->add_workloads();
  workload->set_name("work");
  workload->set_version(1);
  workload->add_device_kinds("cpu");
  workload->add_device_kinds("cuda");
  *workload->add_parameters() = Parameter("n", "int", "3");
  workload->mutable_parameters(0)->set_defines_board(true);
  *workload->add_parameters() = Parameter("rate", "double", "0.5");
  *workload->add_parameters() = Parameter("graph", "bool", "false");
  *workload->add_parameters() = Parameter("dtype", "choice", "fp32");
  workload->mutable_parameters(3)->add_choices("fp32");
  workload->mutable_parameters(3)->add_choices("bf16");
  *workload->add_parameters() = Parameter("threads", "int", "0");
  workload->mutable_parameters(4)->set_tunable(true);
  v1::MetricSpec* metric = workload->add_metrics();
  metric->set_name("it_per_s");
  metric->set_unit("it/s");
  metric->set_better("more");
  return runtime;
}

agent::Offer SampleOffer() {
  agent::Offer offer;
  offer.runtimes.push_back(SampleRuntime());
  v1::Runtime missing;
  missing.set_name("pytorch");
  missing.set_unavailable("it is not installed");
  offer.runtimes.push_back(missing);
  return offer;
}

v1::AgentDescription SampleDescription(const std::string& name) {
  v1::AgentDescription description;
  description.set_agent_id("id-" + name);
  description.set_name(name);
  description.set_boot_id(kSampleBoot);
  description.set_protocol_min(SpokenProtocols().min);
  description.set_protocol_max(SpokenProtocols().max);
  description.set_incarnation("incarnation-" + name);
  description.set_process_id("process-" + name);
  description.add_features(kProfileSettingsFeature);
  description.add_features(kTelemetryFeature);
  *description.add_runtimes() = SampleRuntime();
  *description.mutable_devices() = description.runtimes(0).description().devices();
  return description;
}

v1::Fence SampleFence(int epoch, double seq) {
  v1::Fence fence;
  fence.set_cluster_id("cluster");
  fence.set_coordinator_epoch(epoch);
  fence.set_coordinator_instance_id("instance-" + std::to_string(epoch));
  fence.set_seq(seq);
  return fence;
}

v1::StartRunRequest SampleStart(const std::string& attempt_id) {
  v1::StartRunRequest request;
  *request.mutable_fence() = SampleFence(1, 1);
  request.set_run_id("run-" + attempt_id);
  request.set_attempt_id(attempt_id);
  request.set_incarnation("incarnation-1");
  request.mutable_spec()->set_workload("work");
  request.mutable_spec()->set_workload_version(1);
  request.mutable_spec()->set_runtime(kOwnRuntime);
  request.mutable_spec()->set_device("cpu");
  request.mutable_spec()->set_profile(kStockProfile);
  request.add_device_uuids("uuid-cpu");
  request.mutable_start_by()->set_boot_id(kSampleBoot);
  request.mutable_start_by()->set_boottime_ns(kSampleBoottimeNs + 30 * kNanosPerSecond);
  request.set_max_runtime_s(100);
  request.set_on_disconnect("FINISH");
  request.set_spec_sha256(SpecSha256(request.spec()));
  return request;
}

v1::AttemptReport SampleReport(const std::string& attempt_id) {
  v1::AttemptReport report;
  report.set_run_id("run-" + attempt_id);
  report.set_attempt_id(attempt_id);
  report.set_outcome("succeeded");
  report.set_accepted_unix_s(1);
  report.set_started_unix_s(2);
  report.set_finished_unix_s(3);
  v1::Result* result = report.mutable_result();
  result->set_primary_metric("it_per_s");
  v1::Metric* metric = result->add_metrics();
  metric->set_name("it_per_s");
  metric->set_unit("it/s");
  metric->set_value(100);
  result->mutable_environment()->mutable_device()->set_name("cpu");
  result->mutable_environment()->mutable_device()->set_kind("cpu");
  result->mutable_summary()->set_primary_metric("it_per_s");
  return report;
}

}  // namespace fleetmark::fuzz
