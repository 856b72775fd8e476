#include "common/step_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace fleetmark {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kEnd = std::numeric_limits<size_t>::max();

MATCHER_P2(Lies, from, until, "") { return std::abs(arg.from - from) < 1e-9 && std::abs(arg.until - until) < 1e-9; }

// Steps of 1 s: a fixed warm-up of a first call of 4 s and one more, then `found` that were left out and `steps` that
// were not. The measured part takes `length_s`.
v1::Result RunOf(int found, int steps, double length_s) {
  v1::Result result;
  v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  for (int i = 0; i < steps; ++i) samples->add_values(1);
  v1::Metric* first_call = result.add_metrics();
  first_call->set_name("first_call_s");
  first_call->set_value(4);
  v1::WorkerResult* summary = result.mutable_summary();
  summary->set_steps(steps);
  summary->set_measured_s(steps);
  summary->set_warmup_steps(2 + found);
  summary->set_warmup_found(found);
  summary->set_warmup_found_s(found);
  result.mutable_telemetry()->set_interval_s(0.5);
  result.mutable_telemetry()->set_measured_from_s(7);
  result.mutable_telemetry()->set_measured_until_s(7 + length_s);
  return result;
}

TEST(StepPlacesTest, BeginBehindTheWarmupThatWasFound) {
  const StepPlaces places(RunOf(10, 40, 50));
  EXPECT_THAT(places.Of(0, 20), ElementsAre(Lies(0.2, 0.6)));
  EXPECT_THAT(places.Of(20, kEnd), ElementsAre(Lies(0.6, 1.0)));
}

TEST(StepPlacesTest, AreSpreadOverWhatNobodyAccountsFor) {
  EXPECT_THAT(StepPlaces(RunOf(10, 40, 100)).Of(0, 20), ElementsAre(Lies(0.2, 0.6)));
}

TEST(StepPlacesTest, EndBeforeTheEvaluationOfTheLastEpoch) {
  v1::Result result = RunOf(0, 80, 100);
  result.add_training_epochs()->set_epoch_s(85);
  EXPECT_THAT(StepPlaces(result).Of(0, 40), ElementsAre(Lies(0.0, 0.4)));
  EXPECT_THAT(StepPlaces(result).Of(40, kEnd), ElementsAre(Lies(0.4, 0.8)));
}

TEST(StepPlacesTest, LeaveOutEvaluations) {
  v1::Result result = RunOf(5, 75, 100);
  result.add_training_epochs()->set_epoch_s(5 + 20);  // of them the fixed warm-up takes 5
  result.add_training_epochs()->set_epoch_s(40);      // and the third, of 20 s, was not completed
  const StepPlaces places(result);
  EXPECT_THAT(places.Of(0, 10), ElementsAre(Lies(0.05, 0.15)));
  EXPECT_THAT(places.Of(0, 30), ElementsAre(Lies(0.05, 0.2), Lies(0.3, 0.45)));
  EXPECT_THAT(places.Of(15, 30), ElementsAre(Lies(0.3, 0.45))) << "from an epoch's end on";
  EXPECT_THAT(places.Of(30, kEnd), ElementsAre(Lies(0.45, 0.7), Lies(0.8, 1.0)));
  result.mutable_telemetry()->set_interval_s(11);
  EXPECT_THAT(StepPlaces(result).Of(0, kEnd), ElementsAre(Lies(5 / 80.0, 1.0))) << "too short to be seen";
}

TEST(StepPlacesTest, AnEpochThatEndsWithTheWarmupIsEvaluatedBeforeThem) {
  v1::Result result = RunOf(0, 80, 100);
  result.add_training_epochs()->set_epoch_s(5.1);  // the warm-up is taken to last 5
  result.add_training_epochs()->set_epoch_s(40);
  result.add_training_epochs()->set_epoch_s(40);
  EXPECT_THAT(StepPlaces(result).Of(50, kEnd), ElementsAre(Lies(0.6, 0.9))) << "one evaluation lies before it";
}

TEST(StepPlacesTest, AValueMayStandForSeveralSteps) {
  v1::Result result = RunOf(10, 40, 90);
  result.mutable_summary()->set_measured_s(80);
  result.mutable_summary()->set_steps(80);
  EXPECT_THAT(StepPlaces(result).Of(0, 20), ElementsAre(Lies(1 / 9.0, 5 / 9.0)));
}

TEST(StepPlacesTest, NonsenseIsNowhere) {
  EXPECT_THAT(StepPlaces(v1::Result()).Of(0, kEnd), IsEmpty());
  const StepPlaces places(RunOf(0, 40, 40));
  EXPECT_THAT(places.Of(40, 50), IsEmpty());
  EXPECT_THAT(places.Of(20, 10), IsEmpty());
  v1::Result result = RunOf(0, 40, 50);
  result.add_training_epochs()->set_epoch_s(-100);
  EXPECT_THAT(StepPlaces(result).Of(0, kEnd), ElementsAre(Lies(0.0, 1.0))) << "an epoch that took less than nothing";
  result.mutable_summary()->set_warmup_steps(std::numeric_limits<int>::max());
  result.mutable_summary()->set_warmup_found(-1);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    result.mutable_samples(0)->set_values(3, bad);
    result.mutable_training_epochs(0)->set_epoch_s(bad);
    for (const MeasuredPart& part : StepPlaces(result).Of(0, kEnd)) EXPECT_LT(part.from, part.until);
  }
}

}  // namespace
}  // namespace fleetmark
