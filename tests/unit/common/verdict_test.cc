#include "common/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/run_evidence.h"
#include "tests/fakes/traces.h"
#include "tests/unit/common/judged_run.h"
#include "tests/unit/common/traces.h"

namespace fleetmark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(VerdictTest, AGoodRunIsOkAndSaysWhatWasLookedAt) {
  const v1::Verdict verdict = Judge(GoodRun());
  EXPECT_EQ("OK", verdict.kind());
  EXPECT_EQ("", verdict.cause());
  EXPECT_THAT(verdict.evidence(), Contains("in order: other processes used 1 % of a CPU on average"));
  EXPECT_THAT(verdict.evidence(), Contains("in order: the 95 % interval of it_per_s is 2 % wide"));
  EXPECT_THAT(verdict.evidence(),
              Contains("not known: no ceiling to compare with was measured for what this run does"));
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
  ExpectVerdict(result, "UNCHECKED", "",
                "add up to 3.9 s, and what it did in the rest of the 10 s that its measured part took it does not say");
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
  ceiling->set_rate(190e9);
  ExpectVerdict(result, "IMPLAUSIBLE", "ceiling", "387 GB/s is 204 % of the 190 GB/s");
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