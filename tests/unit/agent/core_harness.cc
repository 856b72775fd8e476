#include "tests/unit/agent/core_harness.h"

#include "common/run_spec.h"

namespace fleetmark::agent {
namespace {

Offer MakeOffer() {
  Offer offer;
  offer.features = {"known_feature"};
  v1::Runtime runtime;
  runtime.set_name("fake");
  v1::RunnerDescription* runner = runtime.mutable_description();
  runner->set_runtime("fake");
  for (const char* name : {"cpu", "cuda:0"}) {
    v1::Device* device = runner->add_devices();
    device->set_name(name);
    device->set_kind(std::string(name).substr(0, std::string(name).find(':')));
    device->set_uuid(std::string("uuid-") + name);
  }
  v1::WorkloadSpec* workload = runner->add_workloads();
  workload->set_name("work");
  workload->set_version(1);
  workload->add_device_kinds("cpu");
  v1::ParameterSpec* parameter = workload->add_parameters();
  parameter->set_name("n");
  parameter->set_type("int");
  parameter->set_min(1);
  parameter->set_max(10);
  v1::ParameterSpec* threads = workload->add_parameters();
  threads->set_name("threads");
  threads->set_type("int");
  threads->set_min(0);
  threads->set_max(4);
  threads->set_tunable(true);
  offer.runtimes.push_back(runtime);
  v1::Runtime missing;
  missing.set_name("libtorch");
  missing.set_unavailable("it was built without LibTorch");
  offer.runtimes.push_back(missing);
  return offer;
}

}  // namespace

CoreHarness::CoreHarness() : offer_(MakeOffer()) {
  journal_.incarnation = "incarnation-1";
  Restart();
}

void CoreHarness::Advance(double seconds) {
  now_.unix_ns += SecondsToNanos(seconds);
  now_.boottime_ns += SecondsToNanos(seconds);
}

Outcome CoreHarness::Step(const Event& event) {
  Outcome outcome;
  core_->BeginBatch();
  core_->Step(event, now_, &outcome);
  for (const JournalWrite& write : outcome.writes) {
    if (const auto* put = std::get_if<PutReport>(&write)) {
      EXPECT_EQ(0u, reports_.count(put->attempt_id)) << "a second report of one attempt";
    }
    memory_journal_.Apply(write);
  }
  for (const Effect& effect : outcome.effects) {
    if (const auto* spawn = std::get_if<SpawnWorker>(&effect)) ++spawns_[spawn->attempt_id];
  }
  last_ = outcome;
  return outcome;
}

Outcome CoreHarness::StepWithoutCommit(const Event& event) {
  Outcome outcome;
  core_->BeginBatch();
  core_->Step(event, now_, &outcome);
  core_->Rollback();
  return outcome;
}

Outcome CoreHarness::Restart(bool reboot) {
  if (reboot) {
    boot_id_ += "+";
    now_.boottime_ns = kNanosPerSecond;
  }
  core_.emplace(AgentCore::Identity{boot_id_, "process"}, offer_, journal_);
  return Step(AgentStarted{});
}

v1::Fence CoreHarness::Fence(double seq, int epoch) const {
  v1::Fence fence;
  fence.set_cluster_id("cluster");
  fence.set_coordinator_epoch(epoch);
  fence.set_coordinator_instance_id("instance-" + std::to_string(epoch));
  fence.set_seq(seq);
  return fence;
}

v1::StartRunRequest CoreHarness::Rehashed(v1::StartRunRequest request) {
  request.set_spec_sha256(SpecSha256(request.spec()));
  return request;
}

v1::StartRunRequest CoreHarness::StartRequest(const std::string& attempt_id) const {
  v1::StartRunRequest request;
  *request.mutable_fence() = Fence(1);
  request.set_run_id("run-" + attempt_id);
  request.set_attempt_id(attempt_id);
  request.set_incarnation(journal_.incarnation);
  request.mutable_spec()->set_workload("work");
  request.mutable_spec()->set_workload_version(1);
  request.mutable_spec()->set_runtime("fake");
  request.mutable_spec()->set_device("cpu");
  request.mutable_spec()->set_profile("stock");
  request.add_device_uuids("uuid-cpu");
  request.mutable_start_by()->set_boot_id(boot_id_);
  request.mutable_start_by()->set_boottime_ns(now_.boottime_ns + 30 * kNanosPerSecond);
  request.set_max_runtime_s(100);
  request.set_on_disconnect("FINISH");
  return Rehashed(request);
}

Status CoreHarness::Start(const v1::StartRunRequest& request, Status lock) {
  return Find<Reply>(Step(StartRunCall{1, request, std::move(lock)})) == nullptr ? Internal("no reply")
                                                                                 : Find<Reply>(last_)->status;
}

std::string CoreHarness::StartState(const v1::StartRunRequest& request) {
  const Status status = Start(request);
  return status.ok() ? std::get<v1::AttemptStatus>(Find<Reply>(last_)->response).state() : status.kind();
}

std::string CoreHarness::Cancel(const std::string& attempt_id, double seq, double grace_s,
                                const std::string& incarnation) {
  v1::CancelRunRequest request;
  *request.mutable_fence() = Fence(seq);
  request.set_attempt_id(attempt_id);
  request.set_grace_s(grace_s);
  request.set_reason("enough");
  request.set_incarnation(incarnation);
  request.mutable_keep_until()->set_boot_id(boot_id_);
  request.mutable_keep_until()->set_boottime_ns(now_.boottime_ns + 30 * kNanosPerSecond);
  const Outcome outcome = Step(CancelRunCall{2, request});
  const Reply* reply = Find<Reply>(outcome);
  return reply->status.ok() ? std::get<v1::AttemptStatus>(reply->response).state() : reply->status.kind();
}

Status CoreHarness::Drain(bool on, double seq) {
  v1::DrainRequest request;
  *request.mutable_fence() = Fence(seq);
  request.set_on(on);
  return Find<Reply>(Step(DrainCall{3, request}))->status;
}

v1::SyncRequest CoreHarness::SyncRequest(const std::vector<std::string>& desired, double seq) const {
  v1::SyncRequest request;
  *request.mutable_fence() = Fence(seq);
  request.set_incarnation(journal_.incarnation);
  for (const std::string& id : desired) request.add_desired_attempt_ids(id);
  return request;
}

StatusOr<v1::SyncResponse> CoreHarness::Sync(v1::SyncRequest request) {
  const Outcome outcome = Step(SyncCall{4, std::move(request)});
  const Reply* reply = Find<Reply>(outcome);
  if (reply == nullptr) return Internal("no reply yet");
  if (!reply->status.ok()) return reply->status;
  return std::get<v1::SyncResponse>(reply->response);
}

void CoreHarness::Run(const std::string& attempt_id) {
  ASSERT_TRUE(Start(StartRequest(attempt_id)).ok());
  Step(WorkerSpawned{attempt_id, {100, 5, boot_id_}});
}

void CoreHarness::End(const std::string& attempt_id, const std::string& outcome) {
  v1::AttemptReport draft;
  draft.set_outcome(outcome);
  if (outcome == "succeeded") draft.mutable_result()->set_primary_metric("it_per_s");
  Step(WorkerEnded{attempt_id, draft});
}

v1::AttemptReport CoreHarness::Report(const std::string& attempt_id) const {
  v1::AttemptReport report;
  const auto found = reports_.find(attempt_id);
  EXPECT_NE(found, reports_.end()) << attempt_id << " has no report";
  if (found != reports_.end()) report.ParseFromString(found->second);
  return report;
}

int CoreHarness::spawns(const std::string& attempt_id) const {
  const auto found = spawns_.find(attempt_id);
  return found == spawns_.end() ? 0 : found->second;
}

}  // namespace fleetmark::agent
