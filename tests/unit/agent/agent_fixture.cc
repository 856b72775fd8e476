#include "tests/unit/agent/agent_fixture.h"

#include <stdlib.h>

#include <chrono>
#include <thread>
#include <utility>

#include "agent/runners.h"
#include "common/run_spec.h"

namespace fleetmark::agent {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// Asked once for all tests of a program.
const Offer& FakeOffer() {
  static const Offer offer = {DescribeRunners({{"fake", FAKE_RUNNER}}), {"known_feature"}};
  return offer;
}

}  // namespace

bool WaitUntil(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

AgentLoop::Options AgentTest::Options() const {
  AgentLoop::Options options;
  options.name = "lab-1";
  options.state_directory = directory_.path() / "state";
  options.lock_directory = directory_.path() / "locks";
  options.dataset_directory = "/data";
  options.runners = {{"fake", FAKE_RUNNER}};
  options.offer = FakeOffer();
  return options;
}

void AgentTest::StartLoop(AgentLoop::Options options) {
  auto loop = AgentLoop::Start(std::move(options));
  ASSERT_TRUE(loop.ok()) << loop.status().ToString();
  loop_ = *std::move(loop);
}

v1::Fence AgentTest::NewFence() {
  v1::Fence fence;
  fence.set_cluster_id("cluster");
  fence.set_coordinator_epoch(1);
  fence.set_coordinator_instance_id("instance");
  fence.set_seq(++seq_);
  return fence;
}

v1::StartRunRequest AgentTest::Request(const std::string& attempt_id, const std::string& workload,
                                       const std::map<std::string, std::string>& parameters) {
  const v1::AgentDescription description = loop_->Describe();
  v1::StartRunRequest request;
  *request.mutable_fence() = NewFence();
  request.set_run_id("run-" + attempt_id);
  request.set_attempt_id(attempt_id);
  request.set_incarnation(description.incarnation());
  request.mutable_spec()->set_workload(workload);
  request.mutable_spec()->set_workload_version(1);
  request.mutable_spec()->set_runtime("fake");
  request.mutable_spec()->set_device("cpu");
  request.mutable_spec()->set_profile("stock");
  request.mutable_spec()->mutable_parameters()->insert(parameters.begin(), parameters.end());
  request.set_spec_sha256(SpecSha256(request.spec()));
  request.add_device_uuids("cpu");
  request.mutable_start_by()->set_boot_id(description.boot_id());
  request.mutable_start_by()->set_boottime_ns(RealClock().Now().boottime_ns + 60 * kNanosPerSecond);
  request.set_max_runtime_s(60);
  request.set_on_disconnect("FINISH");
  return request;
}

StatusOr<v1::SyncResponse> AgentTest::Sync(const std::vector<std::string>& desired, int known_revision,
                                           const std::vector<v1::Ack>& acks) {
  v1::SyncRequest request;
  *request.mutable_fence() = NewFence();
  request.mutable_fence()->set_seq(--seq_);
  request.set_incarnation(loop_->Describe().incarnation());
  for (const std::string& id : desired) request.add_desired_attempt_ids(id);
  for (const v1::Ack& ack : acks) *request.add_acks() = ack;
  request.set_known_revision(known_revision);
  request.set_wait_s(20);
  return loop_->Sync(request, [] { return false; });
}

StatusOr<v1::AttemptStatus> AgentTest::Cancel(const std::string& attempt_id, double grace_s) {
  v1::CancelRunRequest request;
  *request.mutable_fence() = NewFence();
  request.set_attempt_id(attempt_id);
  request.set_grace_s(grace_s);
  request.set_reason("by the test");
  return loop_->CancelRun(request);
}

v1::AttemptReport AgentTest::Run(const std::string& workload, const std::map<std::string, std::string>& parameters) {
  const std::string id = "attempt-" + std::to_string(next_attempt_++);
  const auto started = loop_->StartRun(Request(id, workload, parameters));
  EXPECT_TRUE(started.ok()) << started.status().ToString();
  return started.ok() ? WaitForReport(id) : v1::AttemptReport();
}

v1::AttemptReport AgentTest::WaitForReport(const std::string& attempt_id) {
  v1::AttemptReport report;
  EXPECT_TRUE(WaitUntil([&] { return loop_->ReadReport(attempt_id).ok(); })) << attempt_id << " ends";
  if (const auto stored = loop_->ReadReport(attempt_id); stored.ok()) report.ParseFromString(stored->bytes);
  return report;
}

void AgentTest::WaitForState(const std::string& attempt_id, const std::string& state) {
  int revision = 0;
  std::string last;
  const bool reached = WaitUntil([&] {
    const auto response = Sync({attempt_id}, revision);
    if (!response.ok()) return false;
    revision = response->revision();
    for (const v1::AttemptStatus& attempt : response->attempts()) {
      if (attempt.attempt_id() == attempt_id) last = attempt.state();
    }
    return last == state;
  });
  EXPECT_TRUE(reached) << attempt_id << " is " << last << ", not " << state;
}

}  // namespace fleetmark::agent
