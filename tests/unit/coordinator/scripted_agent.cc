#include "tests/unit/coordinator/scripted_agent.h"

#include <gtest/gtest.h>

#include <utility>

#include "common/protocol_version.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

v1::Runtime TestRuntime() {
  v1::Runtime runtime;
  runtime.set_name("libtorch");
  v1::RunnerDescription* description = runtime.mutable_description();
  description->set_runtime("libtorch");
  for (const char* name : {"cpu", "cuda:0", "cuda:1"}) {
    v1::Device* device = description->add_devices();
    device->set_name(name);
    device->set_kind(std::string(name) == "cpu" ? "cpu" : "cuda");
    device->set_uuid(std::string("uuid of ") + name);
  }
  v1::WorkloadSpec* workload = description->add_workloads();
  workload->set_name("tensor_add");
  workload->set_version(1);
  workload->add_device_kinds("cpu");
  workload->add_device_kinds("cuda");
  v1::ParameterSpec* n = workload->add_parameters();
  n->set_name("n");
  n->set_type("int");
  n->set_default_value("12288");
  n->set_min(256);
  n->set_max(32768);
  n->set_defines_board(true);
  v1::ParameterSpec* threads = workload->add_parameters();
  threads->set_name("threads");
  threads->set_type("int");
  threads->set_default_value("0");
  threads->set_min(0);
  threads->set_max(64);
  threads->set_tunable(true);
  v1::MetricSpec* metric = workload->add_metrics();
  metric->set_name("it_per_s");
  metric->set_better("more");
  return runtime;
}

}  // namespace

Status Lost() { return Unavailable("the connection broke"); }

ScriptedAgent::ScriptedAgent(const std::string& name) : address(name + ":7810") {
  description.set_agent_id("id of " + name);
  description.set_name(name);
  description.set_boot_id("boot");
  description.set_protocol_min(1);
  description.set_protocol_max(1);
  description.add_features(kProfileSettingsFeature);
  description.add_features(kTelemetryFeature);
  description.set_incarnation(name + " incarnation 1");
  description.set_process_id(name + " process 1");
  *description.add_runtimes() = TestRuntime();
  *description.mutable_devices() = description.runtimes(0).description().devices();
}

void ScriptedAgent::Restart() {
  description.set_process_id(description.process_id() + "+");
  revision = 1;
  for (auto& [id, status] : attempts) {
    if (status.state() == "running") Report(id, "interrupted", true);
  }
}

void ScriptedAgent::LoseJournal() {
  attempts.clear();
  reports.clear();
  description.set_incarnation(description.incarnation() + "+");
  Restart();
}

void ScriptedAgent::Report(const std::string& attempt_id, const std::string& outcome, bool retryable) {
  v1::AttemptReport report;
  report.set_attempt_id(attempt_id);
  report.set_outcome(outcome);
  report.set_retryable(retryable);
  report.set_started_unix_s(1);
  report.set_finished_unix_s(2);
  if (outcome == "succeeded") {
    v1::Metric* metric = report.mutable_result()->add_metrics();
    metric->set_name("it_per_s");
    metric->set_value(100);
    report.mutable_result()->mutable_environment()->mutable_device()->set_name("cpu");
  } else {
    report.mutable_failure()->set_kind(outcome);
    report.mutable_failure()->set_message("it was " + outcome);
  }
  reports[attempt_id] = report.SerializeAsString();
  attempts[attempt_id].set_state("result_ready");
  ++revision;
}

void ScriptedAgent::ReportOtherBytes(const std::string& attempt_id) {
  Report(attempt_id, "succeeded");
  v1::AttemptReport report;
  report.ParseFromString(reports[attempt_id]);
  report.set_stderr_tail("another time");
  reports[attempt_id] = report.SerializeAsString();
}

// A seq counts within its epoch.
void ScriptedAgent::TakeFence(const v1::Fence& fence) {
  EXPECT_GE(fence.coordinator_epoch(), last_epoch) << "an old epoch";
  if (fence.coordinator_epoch() > last_epoch) last_seq = -1;
  last_epoch = fence.coordinator_epoch();
  description.set_cluster_id(fence.cluster_id());
  description.set_max_coordinator_epoch_seen(fence.coordinator_epoch());
  description.set_coordinator_instance_id_seen(fence.coordinator_instance_id());
}

StatusOr<v1::AttemptStatus> ScriptedAgent::TakeStart(const v1::StartRunRequest& request) {
  EXPECT_EQ(Running(), "") << "a second run for a busy machine";
  if (on_start == OnStart::kRefuse) {
    return FailedPrecondition("machine is used by another agent (pid 12)", "", "device_busy");
  }
  const OnStart how = std::exchange(on_start, OnStart::kRun);
  if (how == OnStart::kLoseRequest) return Lost();
  starts.push_back(request);
  v1::AttemptStatus& status = attempts[request.attempt_id()];
  EXPECT_EQ(status.state(), "") << "an attempt id was started twice";
  status.set_attempt_id(request.attempt_id());
  status.set_run_id(request.run_id());
  status.set_device(request.spec().device());
  status.set_spec_sha256(request.spec_sha256());
  status.set_state("running");
  ++revision;
  if (how == OnStart::kLoseAnswer) return Lost();
  return status;
}

StatusOr<v1::AttemptStatus> ScriptedAgent::TakeCancel(const v1::CancelRunRequest& request) {
  cancels.push_back(request.attempt_id());
  if (failing_cancels > 0) {
    --failing_cancels;
    return Unavailable("the disk is full", "", "disk_full");
  }
  v1::AttemptStatus& status = attempts[request.attempt_id()];
  status.set_attempt_id(request.attempt_id());
  if (status.state().empty()) status.set_state("tombstone");
  if (status.state() == "running") {
    v1::AttemptStatus cancelling = status;
    cancelling.set_state("cancelling");
    Report(request.attempt_id(), "cancelled");
    return cancelling;
  }
  ++revision;
  return status;
}

v1::SyncResponse ScriptedAgent::SyncAnswer(const Moment& now) const {
  v1::SyncResponse response;
  response.set_boot_id(description.boot_id());
  response.set_boottime_ns(now.boottime_ns + 5'000 * kNanosPerSecond);
  response.set_incarnation(description.incarnation());
  response.set_process_id(description.process_id());
  response.set_revision(revision);
  response.set_draining(draining);
  response.set_not_accepting(not_accepting);
  for (const auto& [id, status] : attempts) {
    *response.add_attempts() = status;
    response.mutable_attempts()->rbegin()->set_attempt_id(id);
  }
  for (const auto& [id, bytes] : reports) {
    v1::PendingResult* pending = response.add_pending_results();
    pending->set_attempt_id(id);
    pending->set_sha256(Sha256Hex(bytes));
  }
  return response;
}

std::string ScriptedAgent::Running() const {
  for (const auto& [id, status] : attempts) {
    if (status.state() == "running") return id;
  }
  return "";
}

}  // namespace fleetmark
