#include "common/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/run_evidence.h"
#include "common/telemetry.h"
#include "common/vocabulary.h"
#include "tests/fakes/traces.h"
#include "tests/unit/common/traces.h"

namespace fleetmark {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kPoints = 20;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

void Show(v1::Result* result, const telemetry::SeriesName& name, float value) {
  v1::TelemetrySeries* series = result->mutable_telemetry()->add_series();
  series->set_name(name.name);
  for (int i = 0; i < kPoints; ++i) series->add_values(value);
}

v1::Metric* AddMetric(v1::Result* result, const char* name, double value) {
  v1::Metric* metric = result->add_metrics();
  metric->set_name(name);
  metric->set_value(value);
  return metric;
}

// Ten seconds on two CPUs with nobody else: 100 steps of 0.1 s.
v1::Result GoodRun() {
  v1::Result result;
  result.set_primary_metric("it_per_s");
  v1::Metric* rate = AddMetric(&result, "it_per_s", 10);
  rate->set_ci_low(9.9);
  rate->set_ci_high(10.1);
  v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  for (int i = 0; i < 100; ++i) samples->add_values(0.1);
  result.mutable_summary()->set_measured_s(10);
  result.mutable_summary()->set_is_steady(true);
  result.mutable_steadiness()->set_burst_it_per_s(10.1);
  result.mutable_steadiness()->set_sustained_it_per_s(10);
  result.mutable_environment()->set_cpu_count(2);
  v1::Telemetry* telemetry = result.mutable_telemetry();
  telemetry->set_interval_s(0.5);
  telemetry->set_measured_from_s(0);
  telemetry->set_measured_until_s(10.01);
  for (int i = 1; i <= kPoints; ++i) telemetry->add_at_s(0.5 * i);
  result.mutable_environment()->set_runtime(kOwnRuntime);
  Show(&result, telemetry::kWorkerCpu, 195);
  Show(&result, telemetry::kOtherCpu, 1);
  return result;
}

void ExpectVerdict(const v1::Result& result, const std::string& kind, const std::string& cause,
                   const std::string& words) {
  const v1::Verdict verdict = Judge(result);
  EXPECT_EQ(kind, verdict.kind());
  EXPECT_EQ(cause, verdict.cause());
  ASSERT_GT(verdict.evidence_size(), 0);
  EXPECT_THAT(verdict.evidence(0), HasSubstr(words));
}

TEST(VerdictTest, AGoodRunIsOkAndSaysWhatWasLookedAt) {
  const v1::Verdict verdict = Judge(GoodRun());
  EXPECT_EQ("OK", verdict.kind());
  EXPECT_EQ("", verdict.cause());
  EXPECT_THAT(verdict.evidence(), Contains("in order: other processes used 1 % of a CPU on average"));
  EXPECT_THAT(verdict.evidence(), Contains("in order: the 95 % interval of it_per_s is 2 % wide"));
  EXPECT_THAT(verdict.evidence(),
              Contains("not known: no ceiling to compare with was measured for what this run does"));
}

TEST(VerdictTest, WithoutTelemetryNothingIsCertified) {
  v1::Result result = GoodRun();
  result.clear_telemetry();
  ExpectVerdict(result, "UNCHECKED", "", "not known: there is no telemetry of this run");
}

TEST(VerdictTest, ARunTooShortForTelemetryIsUnchecked) {
  v1::Result result = GoodRun();
  result.mutable_telemetry()->set_measured_from_s(9);
  result.mutable_summary()->set_measured_s(1);
  EXPECT_EQ("UNCHECKED", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: the measured part has too little telemetry"));
}

TEST(VerdictTest, ASensorThatIsMissingIsNamed) {
  v1::Result result = GoodRun();
  v1::Sensor* sensor = result.mutable_telemetry()->add_sensors();
  sensor->set_name("rapl");
  sensor->set_state("forbidden");
  sensor->set_why("only root may read it");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: sensor rapl forbidden: only root may read it"));
}

TEST(VerdictTest, WhatASensorDidNotTellForAWhileIsSaid) {
  v1::Result result = GoodRun();
  v1::Sensor* sensor = result.mutable_telemetry()->add_sensors();
  sensor->set_name("nvml");
  sensor->set_state("ok");
  EXPECT_THAT(Judge(result).evidence(), Not(Contains(HasSubstr("nvml"))));
  sensor->set_why("failed 3 of 20 readings");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: sensor nvml: failed 3 of 20 readings"));
}

// The worker's and others' CPU time alone, at the first `known` points.
void ForgetAllBut(int known, v1::Result* result) {
  for (v1::TelemetrySeries& series : *result->mutable_telemetry()->mutable_series()) {
    for (int i = known; i < kPoints; ++i) series.set_values(i, kUnknown);
  }
}

TEST(VerdictTest, AFewPointsOfALongRunCertifyNothing) {
  v1::Result result = GoodRun();
  ForgetAllBut(7, &result);
  EXPECT_EQ("OK", Judge(result).kind()) << "more than a third of it";
  ForgetAllBut(5, &result);
  ExpectVerdict(result, "UNCHECKED", "", "not known: the measured part has too little telemetry");
  EXPECT_THAT(Judge(result).evidence(),
              Contains("not known: what other processes did was seen for 25 % of the measured part alone"));
  for (int i = 0; i < 5; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 100);
  EXPECT_EQ("INTERFERED", Judge(result).kind()) << "what was seen counts";
}

v1::Result GoodRunOnAGpu() {
  v1::Result result = GoodRun();
  v1::Device* device = result.mutable_environment()->mutable_device();
  device->set_kind("cuda");
  device->set_name("cuda:0");
  Show(&result, telemetry::kGpuUtil, 95);
  Show(&result, telemetry::kGpuHeatThrottle, 0);
  Show(&result, telemetry::kGpuOtherUtil, 0);
  return result;
}

TEST(VerdictTest, ARunOnAGpuThatNobodyWatchedIsUnchecked) {
  v1::Result result = GoodRunOnAGpu();
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("in order: the GPU says that it did not slow itself down"));
  while (result.telemetry().series_size() > 2) result.mutable_telemetry()->mutable_series()->RemoveLast();
  ExpectVerdict(result, "UNCHECKED", "", "not known: there is no telemetry of cuda:0, which did the work");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: whether the GPU slowed itself down was not seen"));
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: who else used the GPU was not seen"));
}

TEST(VerdictTest, HeatIsNeverSaidToBeInOrder) {
  v1::Result result = GoodRunOnAGpu();
  const int heat = result.telemetry().series_size() - 2;
  const auto told = [&] { return Judge(result).evidence(); };
  result.mutable_telemetry()->mutable_series(heat)->set_values(0, 0.8F);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(told(), Not(Contains(HasSubstr("did not slow itself down"))));
  EXPECT_THAT(told(), Contains("in order: the GPU slowed itself down because of heat during no more than 4 % of the "
                               "measured part"));
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(heat)->set_values(i, 1);
  EXPECT_EQ("THROTTLED", Judge(result).kind());
  EXPECT_THAT(told(), Not(Contains(HasSubstr("did not slow itself down"))));
}

TEST(VerdictTest, AGpuNeighbourExplainsAClockThatFell) {
  v1::Result result = GoodRunOnAGpu();
  result.mutable_steadiness()->set_burst_it_per_s(11);
  Show(&result, telemetry::kGpuClock, 1500);
  for (int i = 10; i < 20; ++i) result.mutable_telemetry()->mutable_series()->rbegin()->set_values(i, 1000);
  ExpectVerdict(result, "THROTTLED", "clock", "the GPU's clock fell from 1500 to 1000 MHz");
  Show(&result, telemetry::kGpuOtherUtil, 30);
  result.mutable_telemetry()->mutable_series()->SwapElements(4, 6);
  ExpectVerdict(result, "INTERFERED", "GPU shared", "other processes kept the GPU busy for 30 %");
}

TEST(VerdictTest, OthersUnknownAreNotOthersAbsent) {
  v1::Result result = GoodRun();
  result.mutable_telemetry()->clear_series();
  Show(&result, telemetry::kOtherCpu, kUnknown);
  EXPECT_EQ("UNCHECKED", Judge(result).kind()) << "points without values are no telemetry";
  Show(&result, telemetry::kCpu, 100);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: what other processes did was not seen"));
}

TEST(VerdictTest, ZeroNegativeAndUndefinedStepTimes) {
  for (const double bad : {0.0, -0.1, std::numeric_limits<double>::quiet_NaN()}) {
    v1::Result result = GoodRun();
    result.mutable_samples(0)->set_values(7, bad);
    ExpectVerdict(result, "IMPLAUSIBLE", "clock", "1 of 100 step times are zero, negative or not a number");
  }
}

TEST(VerdictTest, ARateThatIsNoRate) {
  for (const double bad : {0.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    v1::Result result = GoodRun();
    result.mutable_metrics(0)->set_value(bad);
    ExpectVerdict(result, "IMPLAUSIBLE", "value", "it_per_s is");
  }
}

TEST(VerdictTest, MoreTimeThanTheAgentSaw) {
  v1::Result result = GoodRun();
  result.mutable_summary()->set_measured_s(3610);
  ExpectVerdict(result, "IMPLAUSIBLE", "clock",
                "add up to 3610 s, and by the agent's clock its measured part took 10 s");
}

TEST(VerdictTest, FarLessTimeThanTheAgentSaw) {
  v1::Result result = GoodRun();
  result.mutable_summary()->set_measured_s(4.1);
  EXPECT_EQ("OK", Judge(result).kind());
  result.mutable_summary()->set_measured_s(3.9);
  ExpectVerdict(result, "IMPLAUSIBLE", "clock",
                "add up to 3.9 s, and by the agent's clock its measured part took 10 s");
  result.add_training_epochs()->set_epoch_s(3.9);
  EXPECT_EQ("OK", Judge(result).kind()) << "the rest may be evaluation";
}

TEST(VerdictTest, FasterThanTheDeviceCan) {
  v1::Result result = GoodRun();
  AddMetric(&result, "gb_per_s", 387);
  v1::Ceiling* ceiling = result.add_ceilings();
  ceiling->set_resource("memory");
  ceiling->set_rate(360e9);
  EXPECT_EQ("OK", Judge(result).kind());  // 1.075 of what was measured: within its error
  ceiling->set_rate(340e9);
  ExpectVerdict(result, "IMPLAUSIBLE", "ceiling", "387 GB/s is 114 % of the 340 GB/s");
}

// In the second half steps take 0.13 s instead of 0.1 s. Each has a thousand page faults at 2 us in the first half, and
// `faults_later` in the second.
v1::Result SlowerFromTheMiddle(double faults_later) {
  v1::Result result = GoodRun();
  for (int i = 50; i < 100; ++i) result.mutable_samples(0)->set_values(i, 0.13);
  result.mutable_summary()->set_measured_s(11.5);
  result.mutable_steadiness()->set_burst_it_per_s(10);
  result.mutable_steadiness()->set_sustained_it_per_s(100 / 11.5);
  v1::ChangePoint* change = result.mutable_steadiness()->add_change_points();
  change->set_sample(50);
  change->set_at_s(5);
  change->set_before_s(0.1);
  change->set_after_s(0.13);
  result.mutable_telemetry()->set_measured_until_s(11.51);
  const auto show_halves = [&result](const telemetry::SeriesName& name, double first, double second) {
    Show(&result, name, static_cast<float>(first));
    auto* values = result.mutable_telemetry()->mutable_series()->rbegin()->mutable_values();
    for (int i = kPoints / 2; i < kPoints; ++i) values->Set(i, static_cast<float>(second));
  };
  constexpr double kFault_s = 2e-6;
  const double before_per_s = 1000 / 0.1, after_per_s = faults_later / 0.13;
  show_halves(telemetry::kWorkerPageFaults, before_per_s, after_per_s);
  show_halves(telemetry::kWorkerSystem, 100 * kFault_s * before_per_s, 100 * kFault_s * after_per_s);
  return result;
}

TEST(VerdictTest, SlowerWithNoSensorThatSaysWhyIsThrottled) {
  ExpectVerdict(SlowerFromTheMiddle(1000), "THROTTLED", "not seen",
                "steps took 30 % longer from 5 s on, and no sensor says why; the whole ran at 87 % of its best tenth");
}

TEST(VerdictTest, SlowerForItsPageFaultsIsNotThrottled) {
  ExpectVerdict(SlowerFromTheMiddle(16000), "NOISY", "page faults",
                "steps took 30 % longer after 5 s, with 15000 page faults more in each, at 2 us of kernel time");
  v1::Result stock = SlowerFromTheMiddle(16000);
  stock.mutable_environment()->set_allocator("stock");
  ExpectVerdict(stock, "NOISY", "page faults", "kernel time: the allocator gives memory back");
  ExpectVerdict(SlowerFromTheMiddle(8000), "THROTTLED", "not seen", "no sensor says why");  // they are less than half
  v1::Result few = SlowerFromTheMiddle(16000);  // that take long in the kernel: it did something else
  for (float& per_s : *few.mutable_telemetry()->mutable_series(2)->mutable_values()) per_s /= 1000;
  ExpectVerdict(few, "THROTTLED", "not seen", "no sensor says why");
  v1::Result unknown = SlowerFromTheMiddle(16000);
  unknown.mutable_telemetry()->mutable_series()->RemoveLast();
  ExpectVerdict(unknown, "THROTTLED", "not seen", "no sensor says why");
}

TEST(VerdictTest, SlowerForAMomentIsNotThrottled) {
  v1::Result result = GoodRun();
  for (int i = 70; i < 80; ++i) result.mutable_samples(0)->set_values(i, 0.2);
  *result.mutable_steadiness() = SteadinessOf(result);
  ASSERT_EQ(2, result.steadiness().change_points_size());
  ASSERT_LT(result.steadiness().sustained_it_per_s(), 0.95 * result.steadiness().burst_it_per_s());
  EXPECT_NE("THROTTLED", Judge(result).kind()) << Judge(result).evidence(0);
  for (int i = 70; i < 100; ++i) result.mutable_samples(0)->set_values(i, 0.2);
  *result.mutable_steadiness() = SteadinessOf(result);
  EXPECT_EQ("THROTTLED", Judge(result).kind()) << "to the end";
}

// With as many page faults a step after it: the two changes are apart, and the first is the one that counts.
TEST(VerdictTest, ASmallChangeBesidePageFaultsIsNotThrottled) {
  v1::Result result = SlowerFromTheMiddle(16000);
  v1::ChangePoint* later = result.mutable_steadiness()->add_change_points();
  later->set_sample(80);
  later->set_at_s(8.9);
  later->set_before_s(0.13);
  later->set_after_s(0.135);
  ExpectVerdict(result, "NOISY", "page faults", "15000 page faults more");
}

TEST(VerdictTest, WhatDidNotSettleIsNoisyWhereItMatters) {
  v1::Result result = GoodRun();
  result.mutable_summary()->set_is_steady(false);
  auto* step_s = result.mutable_samples(0)->mutable_values();
  while (step_s->size() < 300) step_s->Add(0.1);
  EXPECT_EQ("OK", Judge(result).kind()) << "the halves are alike";
  for (int i = 150; i < 300; ++i) step_s->Set(i, 0.093);
  ExpectVerdict(result, "NOISY", "not steady", "those of the second are 7 % shorter");
}

TEST(VerdictTest, NonsenseOfChangesAndFaultsIsSurvived) {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    v1::Result result = SlowerFromTheMiddle(16000);
    v1::ChangePoint* change = result.mutable_steadiness()->mutable_change_points(0);
    change->set_before_s(bad);
    EXPECT_NE("page faults", Judge(result).cause());
    change->set_before_s(0.1);
    change->set_sample(bad < 0 ? -5 : 1000);
    EXPECT_NE("page faults", Judge(result).cause());
  }
}

TEST(VerdictTest, ACeilingThatTheRuntimeCannotMeasureAnewIsSaidAndNotJudged) {
  v1::Result result = GoodRun();
  result.mutable_environment()->set_runtime("pytorch");
  AddMetric(&result, "gb_per_s", 387);
  v1::Ceiling* ceiling = result.add_ceilings();
  ceiling->set_resource("memory");
  ceiling->set_rate(340e9);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains(HasSubstr("which this runtime cannot measure anew")));
}

TEST(VerdictTest, OthersAreComparedWithTheWholeMachineAndNotWithTheWorkersCpus) {
  v1::Result result = GoodRun();
  for (int cpu = 0; cpu < 64; ++cpu) {
    Show(&result, {(telemetry::kCpu.name + ("." + std::to_string(cpu))).c_str(), "%"}, 3);
  }
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 50);
  EXPECT_EQ("OK", Judge(result).kind()) << "half of one CPU of 64 beside a worker with two";
}

TEST(VerdictTest, TheClockOfIdleCpusBesideAGpuIsNoEvidence) {
  v1::Result result = GoodRun();
  result.mutable_steadiness()->set_burst_it_per_s(11);
  Show(&result, telemetry::kCpuClock, 3000);
  for (int i = 10; i < 15; ++i) result.mutable_telemetry()->mutable_series(2)->set_values(i, 1500);
  ExpectVerdict(result, "THROTTLED", "clock", "the CPU's clock fell from 3000 to 1500 MHz");
  Show(&result, telemetry::kGpuUtil, 95);
  EXPECT_EQ("OK", Judge(result).kind());
}

TEST(VerdictTest, TheGravestDecidesAndTheOthersAreTold) {
  v1::Result result = GoodRun();
  Show(&result, telemetry::kGpuHeatThrottle, 1);
  Show(&result, telemetry::kGpuTemperature, 91);
  result.mutable_telemetry()->mutable_series(1)->set_values(0, 1);
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 100);
  ExpectVerdict(result, "THROTTLED", "heat",
                "slowed itself down because of heat during 100 % of the measured part, at up to 91");
  EXPECT_THAT(Judge(result).evidence(), Contains(StartsWith("other processes used 100 % of a CPU")));
}

TEST(VerdictTest, AnIntervalThatIsMissingIsSaidAndNotMadeUp) {
  v1::Result result = GoodRun();
  result.mutable_metrics(0)->clear_ci_low();
  result.mutable_metrics(0)->clear_ci_high();
  result.mutable_metrics(0)->set_n(2);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: it_per_s has no 95 % interval: 2 samples"));
}

TEST(VerdictTest, AnIntervalThatIsNoneIsNotInOrder) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  for (const auto& [low, high] : {std::pair(nan, 10.0), {9.0, nan}, {nan, nan}, {11.0, 9.0}, {9.0, infinite}}) {
    v1::Result result = GoodRun();
    result.mutable_metrics(0)->set_ci_low(low);
    result.mutable_metrics(0)->set_ci_high(high);
    EXPECT_THAT(Judge(result).evidence(), Contains(StartsWith("not known: the 95 % interval of it_per_s is none")));
    EXPECT_THAT(Judge(result).evidence(), Not(Contains(StartsWith("in order: the 95 % interval"))));
  }
  v1::Result result = GoodRun();
  result.mutable_metrics(0)->set_value(infinite);
  EXPECT_THAT(Judge(result).evidence(), Not(Contains(StartsWith("in order: the 95 % interval"))));
}

TEST(VerdictTest, ARateThatIsNoneIsNotComparedWithItsCeiling) {
  v1::Result result = GoodRun();
  AddMetric(&result, "gb_per_s", std::numeric_limits<double>::quiet_NaN());
  v1::Ceiling* ceiling = result.add_ceilings();
  ceiling->set_resource("memory");
  ceiling->set_rate(340e9);
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: gb_per_s is nan"));
  EXPECT_THAT(Judge(result).evidence(), Not(Contains(HasSubstr("nan %"))));
}

TEST(VerdictTest, AnEmptyResultIsJudgedWithoutACrash) { EXPECT_EQ("UNCHECKED", Judge({}).kind()); }

// docs/measurement.md promises these shares; `verdict_confusion` prints them for more of each.
TEST(VerdictTest, InjectedFaultsAreFoundAndCleanRunsAreNotFlagged) {
  constexpr int kRuns = Traces(300);
  for (const Fault& fault : Faults()) {
    int right = 0;
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
      v1::Result result = MakeTrace(fault, seed);
      right += IsRight(fault, Judge(result)) ? 1 : 0;
    }
    const int most_wrong = std::string(fault.kind) == "OK" ? kRuns / 50 : kRuns / 20;
    EXPECT_LE(kRuns - right, std::max(most_wrong, 1)) << fault.name;
  }
}

}  // namespace
}  // namespace fleetmark
