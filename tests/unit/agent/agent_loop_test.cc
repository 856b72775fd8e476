#include "agent/agent_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <future>

#include "common/run_spec.h"
#include "common/sha256.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark::agent {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(AgentTest, RunsAWorkloadToItsReport) {
  const v1::AttemptReport report = Run("succeed", {{"value", "42"}});
  EXPECT_EQ("succeeded", report.outcome()) << report.DebugString();
  EXPECT_FALSE(report.has_failure());
  EXPECT_EQ("it_per_s", report.result().primary_metric());
  EXPECT_EQ(42, report.result().metrics(0).value());
  ASSERT_EQ(1, report.result().samples_size());
  EXPECT_EQ(3, report.result().samples(0).values_size());
  EXPECT_EQ(1, report.result().training_epochs_size());
  EXPECT_EQ("UNCHECKED", report.result().verdict().kind());
  EXPECT_EQ("42", report.result().summary().parameters().at("value"));
  EXPECT_FALSE(report.result().environment().host().empty());
  EXPECT_EQ("fake", report.result().environment().runtime());
  EXPECT_GT(report.result().usage().wall_s(), 0);
  EXPECT_GT(report.result().usage().spawn_to_main_s(), 0);
  EXPECT_GT(report.result().usage().rss_peak_bytes(), 0);
  EXPECT_THAT(report.stderr_tail(), HasSubstr("fake: done"));
  EXPECT_GT(report.log_bytes(), 0);
  EXPECT_GT(report.started_unix_s(), 0);
  EXPECT_GE(report.finished_unix_s(), report.started_unix_s());
  std::vector<std::string> names;
  for (const auto& metric : report.result().metrics()) names.push_back(metric.name());
  for (const char* name : {"wall_s", "process_s", "load1", "rss_peak_bytes"}) EXPECT_THAT(names, Contains(name));
}

TEST_F(AgentTest, ARunIsGivenTheCeilingThatAnEarlierOneMeasured) {
  const auto notes = [](const v1::AttemptReport& report) { return report.result().summary().notes(); };
  const auto rate = [](const v1::AttemptReport& report) { return report.result().ceilings(0).rate(); };
  const v1::AttemptReport first = Run("compare", {{"value", "100"}});
  EXPECT_THAT(notes(first), IsEmpty());
  EXPECT_EQ(100, rate(first));
  const v1::AttemptReport second = Run("compare", {{"value", "50"}});
  EXPECT_THAT(notes(second), ElementsAre(AllOf(HasSubstr("\"memory\""), HasSubstr("\"rate\":100,"))));
  EXPECT_EQ(100, rate(second));
  EXPECT_EQ(7, second.result().ceilings(0).measured_unix_s());
  EXPECT_EQ(200, rate(Run("compare", {{"value", "200"}})));
  loop_.reset();
  StartLoop();
  EXPECT_EQ(200, rate(Run("compare", {{"value", "50"}}))) << "kept over a restart";
  loop_.reset();
  AgentLoop::Options updated = Options();
  updated.offer.runtimes[0].mutable_description()->set_runtime_version("2");
  StartLoop(updated);
  EXPECT_THAT(notes(Run("compare", {{"value", "50"}})), IsEmpty()) << "of another runtime";
}

TEST_F(AgentTest, CeilingsThatCannotBeReadKeepNoAgentFromStarting) {
  loop_.reset();
  const std::filesystem::path path = directory_.path() / "state" / "ceilings.json";
  ASSERT_TRUE(WriteFileAtomically(path, "{rubbish").ok());
  StartLoop();
  EXPECT_EQ("succeeded", Run("compare").outcome());
  loop_.reset();  // the report comes first
  const auto text = ReadFile(path);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_THAT(*text, HasSubstr("\"rate\": 5"));
}

TEST_F(AgentTest, SensorsAreReadTwiceASecondAtLeast) {
  loop_.reset();
  for (const double interval_s : {0.0, 0.009, 0.6, std::nan("")}) {
    AgentLoop::Options options = Options();
    options.telemetry_interval_s = interval_s;
    EXPECT_EQ(AgentLoop::Start(options).status().kind(), "bad_setting") << interval_s;
  }
  AgentLoop::Options options = Options();
  options.telemetry_interval_s = 0.05;
  StartLoop(options);
  EXPECT_EQ(Run("succeed", {{"seconds", "0.2"}}).result().telemetry().interval_s(), 0.05);
}

// Both come at one moment, and the late one, which starts nothing, must not hold the machine against the other.
TEST_F(AgentTest, AStartRunThatIsKnownHoldsNoDevice) {
  constexpr int kRounds = 30;
  constexpr int kDeliveries = 4;
  for (int round = 0; round < kRounds; ++round) {
    const std::string number = std::to_string(round);
    ASSERT_EQ(Cancel("late " + number)->state(), "tombstone");
    const v1::StartRunRequest late = Request("late " + number, "succeed");
    const v1::StartRunRequest now = Request("now " + number, "succeed");
    std::vector<std::future<StatusOr<v1::AttemptStatus>>> deliveries;
    for (int i = 0; i < kDeliveries; ++i) {
      deliveries.push_back(std::async(std::launch::async, [&] { return loop_->StartRun(late); }));
    }
    const StatusOr<v1::AttemptStatus> answer = loop_->StartRun(now);
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    for (auto& delivery : deliveries) EXPECT_EQ(delivery.get()->state(), "tombstone");
    WaitForReport(now.attempt_id());
  }
}

TEST_F(AgentTest, ARunHasItsTelemetry) {
  const v1::AttemptReport report = Run("succeed", {{"seconds", "0.8"}});
  const v1::Telemetry& telemetry = report.result().telemetry();
  EXPECT_GT(telemetry.measured_from_s(), 0);
  EXPECT_GT(telemetry.measured_until_s(), telemetry.measured_from_s());
  EXPECT_LE(telemetry.interval_s(), 0.5) << "2 Hz or more";
  EXPECT_GE(telemetry.at_s_size(), 2);
  std::vector<std::string> series, sensors, metrics;
  for (const auto& one : telemetry.series()) series.push_back(one.name());
  for (const auto& sensor : telemetry.sensors()) sensors.push_back(sensor.name() + " " + sensor.state());
  for (const auto& metric : report.result().metrics()) metrics.push_back(metric.name());
  for (const char* name : {"cpu_percent", "worker_cpu_percent", "load1"}) EXPECT_THAT(series, Contains(name));
  EXPECT_THAT(sensors, Contains("proc ok"));
  EXPECT_THAT(metrics, Contains("cpu_percent")) << "the runner sent none";
  EXPECT_FALSE(telemetry.has_cost());
}

TEST_F(AgentTest, TelemetryMayBeOffOrAlternate) {
  v1::StartRunRequest request = Request("a", "succeed");
  request.set_telemetry("off");
  ASSERT_TRUE(loop_->StartRun(request).ok());
  EXPECT_FALSE(WaitForReport("a").result().has_telemetry());
  request = Request("b", "succeed");
  request.set_telemetry("alternating");
  ASSERT_TRUE(loop_->StartRun(request).ok());
  const v1::Result result = WaitForReport("b").result();
  EXPECT_TRUE(result.has_telemetry());
  EXPECT_THAT(result.summary().notes(), Contains(HasSubstr("what sampling costs is not known")));
}

TEST_F(AgentTest, ASensorThatHangsHoldsUpNoRunAndNoAgent) {
  class HangingSensor final : public Sensor {
   public:
    explicit HangingSensor(std::shared_future<void> released) : released_(std::move(released)) {}
    const char* name() const override { return "hanging"; }
    void Begin(const SensorSubject&) override { released_.wait(); }
    v1::Sensor Read(double, std::vector<Reading>*) override { return {}; }

   private:
    const std::shared_future<void> released_;
  };
  std::promise<void> release;
  loop_.reset();
  AgentLoop::Options options = Options();
  options.make_sensors = [released = release.get_future().share()](const SensorSubject&) {
    std::vector<std::unique_ptr<Sensor>> sensors;
    sensors.push_back(std::make_unique<HangingSensor>(released));
    return sensors;
  };
  StartLoop(options);
  const v1::AttemptReport report = Run("succeed", {{"seconds", "0.2"}});
  EXPECT_EQ("succeeded", report.outcome());
  ASSERT_EQ(1, report.result().telemetry().sensors_size());
  EXPECT_EQ("failed", report.result().telemetry().sensors(0).state());
  loop_.reset();  // returns while it still hangs
  release.set_value();
}

TEST_F(AgentTest, AnAcknowledgedReportIsPrunedAndItsIdIsKept) {
  const v1::StartRunRequest request = Request("a", "noop");
  ASSERT_TRUE(loop_->StartRun(request).ok());
  WaitForReport("a");
  const auto stored = loop_->ReadReport("a");
  EXPECT_EQ(stored->sha256, Sha256Hex(stored->bytes));
  v1::Ack ack;
  ack.set_attempt_id("a");
  ack.set_sha256(stored->sha256);
  const auto response = Sync({}, 0, {ack});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(0, response->pending_results_size());
  EXPECT_EQ(StatusCode::kNotFound, loop_->ReadReport("a").status().code());
  EXPECT_EQ("pruned", loop_->StartRun(request)->state());
}

TEST_F(AgentTest, ASyncThatKnowsAllWaitsForNews) {
  const auto first = Sync({});
  ASSERT_TRUE(loop_->StartRun(Request("a", "noop")).ok());
  int revision = first->revision();
  EXPECT_TRUE(WaitUntil([&] {
    const auto next = Sync({"a"}, revision);
    revision = next->revision();
    return next->pending_results_size() == 1;
  }));
}

TEST_F(AgentTest, ACancelledHangEndsAndFreesTheMachine) {
  ASSERT_TRUE(loop_->StartRun(Request("a", "hang_with_daemon")).ok());
  WaitForState("a", "running");
  EXPECT_EQ("cancelling", Cancel("a", 0.05)->state());
  const v1::AttemptReport report = WaitForReport("a");
  EXPECT_EQ("cancelled", report.outcome());
  EXPECT_FALSE(report.retryable());
  EXPECT_THAT(report.failure().message(), HasSubstr("by the test"));
  EXPECT_EQ("succeeded", Run("noop").outcome());
}

TEST_F(AgentTest, AHangRunsIntoItsTimeLimit) {
  v1::StartRunRequest request = Request("a", "hang");
  request.set_max_runtime_s(0.05);
  ASSERT_TRUE(loop_->StartRun(request).ok());
  const v1::AttemptReport report = WaitForReport("a");
  EXPECT_EQ("timed_out", report.outcome());
  EXPECT_EQ("timeout", report.failure().kind());
  EXPECT_THAT(report.failure().message(), HasSubstr("0.05 s"));
}

TEST_F(AgentTest, OneWorkerAtATimeOnAMachine) {
  ASSERT_TRUE(loop_->StartRun(Request("a", "hang")).ok());
  WaitForState("a", "running");
  const auto second = loop_->StartRun(Request("b", "noop"));
  EXPECT_EQ("device_busy", second.status().kind());
  EXPECT_THAT(second.status().message(), HasSubstr("of agent lab-1"));
  // Neither may another agent with a state of its own.
  AgentLoop::Options other = Options();
  other.state_directory = directory_.path() / "other";
  auto other_loop = AgentLoop::Start(other);
  ASSERT_TRUE(other_loop.ok());
  v1::StartRunRequest request = Request("c", "noop");
  request.set_incarnation((*other_loop)->Describe().incarnation());
  EXPECT_EQ("device_busy", (*other_loop)->StartRun(request).status().kind());
  ASSERT_TRUE(Cancel("a", 0.01).ok());
  WaitForReport("a");
  EXPECT_TRUE((*other_loop)->StartRun(request).ok());
}

TEST_F(AgentTest, SharedMachinesRunOneWorkerPerDevice) {
  loop_.reset();
  AgentLoop::Options options = Options();
  options.share = true;
  for (auto& workload : *options.offer.runtimes[0].mutable_description()->mutable_workloads())
    workload.add_device_kinds("cuda");
  StartLoop(options);
  ASSERT_TRUE(loop_->StartRun(Request("a", "hang")).ok());
  WaitForState("a", "running");
  EXPECT_EQ("device_busy", loop_->StartRun(Request("b", "noop")).status().kind());
  v1::StartRunRequest request = Request("c", "noop");
  request.mutable_spec()->set_device("cuda:0");
  request.set_device_uuids(0, "GPU-0");
  request.set_spec_sha256(SpecSha256(request.spec()));
  EXPECT_TRUE(loop_->StartRun(request).ok());
  EXPECT_EQ("succeeded", WaitForReport("c").outcome());
}

TEST_F(AgentTest, AStoppedAgentLeavesReportsOfWhatRan) {
  ASSERT_TRUE(loop_->StartRun(Request("a", "succeed", {{"seconds", "60"}})).ok());
  WaitForState("a", "running");
  loop_.reset();
  StartLoop();
  const v1::AttemptReport report = WaitForReport("a");
  EXPECT_EQ("interrupted", report.outcome());
  EXPECT_EQ("agent_restarted", report.failure().kind());
  EXPECT_TRUE(report.retryable());
}

TEST_F(AgentTest, ASecondAgentOnOneStateDirectoryIsRefused) {
  const auto second = AgentLoop::Start(Options());
  EXPECT_EQ("state_dir_in_use", second.status().kind());
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(getpid())));
}

TEST_F(AgentTest, AFullDiskTakesNoNewWork) {
  loop_.reset();
  AgentLoop::Options options = Options();
  options.min_free_bytes = 1e18;
  StartLoop(options);
  const auto refused = loop_->StartRun(Request("a", "noop"));
  EXPECT_EQ("disk_full", refused.status().kind());
  EXPECT_THAT(Sync({})->not_accepting(), HasSubstr("nearly full"));
}

// No file of this process can grow while it lives.
class FullDisk {
 public:
  FullDisk() {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{1, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AgentTest, WhatCannotBeJournaledIsNotSpawned) {
  {
    const FullDisk full;
    // Not a refusal, after which the caller would try elsewhere: see coordinator/order_queue.cc.
    EXPECT_EQ(StatusCode::kUnavailable, loop_->StartRun(Request("a", "noop")).status().code());
  }
  EXPECT_EQ(0, Sync({"a"})->attempts_size());
  EXPECT_TRUE(WaitUntil([&] { return Sync({})->not_accepting().empty(); })) << "it is noticed that writing works again";
  ASSERT_TRUE(loop_->StartRun(Request("a", "noop")).ok()) << "nobody holds the device";
  EXPECT_EQ("succeeded", WaitForReport("a").outcome());
}

TEST_F(AgentTest, AReportThatCannotBeWrittenIsKeptUntilItCan) {
  ASSERT_TRUE(loop_->StartRun(Request("a", "succeed", {{"seconds", "0.3"}})).ok());
  WaitForState("a", "running");
  {
    const FullDisk full;
    // The worker ends, and nobody hears of a result that is not durable.
    EXPECT_TRUE(WaitUntil([&] { return testing::Value(Sync({"a"})->not_accepting(), HasSubstr("journal")); }));
    EXPECT_EQ(0, Sync({"a"})->pending_results_size());
    v1::DrainRequest drain;
    *drain.mutable_fence() = NewFence();
    drain.set_on(true);
    EXPECT_EQ(StatusCode::kUnavailable, loop_->Drain(drain).status().code());
  }
  EXPECT_FALSE(Sync({"a"})->draining());
  EXPECT_EQ("succeeded", WaitForReport("a").outcome());
  EXPECT_TRUE(WaitUntil([&] { return Sync({"a"})->not_accepting().empty(); }));
}

TEST_F(AgentTest, WatchersSeeProgressAndTheEnd) {
  ASSERT_TRUE(loop_->StartRun(Request("a", "succeed")).ok());
  int next_seq = 1;
  std::vector<std::string> seen;
  while (true) {
    const WatchHub::News news = loop_->watch_hub().Wait("a", next_seq, std::chrono::seconds(20));
    for (const v1::RunEvent& event : news.events) {
      EXPECT_GE(event.seq(), next_seq);
      next_seq = event.seq() + 1;
      seen.push_back(event.has_status() ? event.status().state() : event.has_phase() ? event.phase().name() : "");
    }
    if (news.has_ended || news.events.empty()) break;
  }
  ASSERT_THAT(seen, Contains("measure"));
  EXPECT_EQ("result_ready", seen.back());
  EXPECT_FALSE(loop_->watch_hub().Wait("unknown", 1, std::chrono::milliseconds(0)).is_known);
}

}  // namespace
}  // namespace fleetmark::agent
