#include "agent/worker/run_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/worker/fake_workload.h"

namespace fleetmark {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

class RunLoopTest : public testing::Test {
 protected:
  StatusOr<LoopResult> Run(FakeWorkload* workload, const LoopOptions& options, StopRules rules) {
    return RunLoop(workload, options, &rules, clock_, &observer_);
  }
  static StopRules Steps(int64_t steps) {
    StopRules rules;
    rules.Add(StopAfterSteps(steps));
    return rules;
  }

  FakeClock clock_;
  RecordingObserver observer_;
};

TEST_F(RunLoopTest, LeavesWarmUpOutAndReportsTheFirstCallApart) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step == 0 ? 5.0 : step < 10 ? 1.0 : 0.25; });
  const auto result = Run(&workload, {.warmup_steps = 10}, Steps(8));
  ASSERT_TRUE(result.ok());
  EXPECT_DOUBLE_EQ(result->first_call_s, 5);
  EXPECT_EQ(result->warmup_steps, 10);
  EXPECT_EQ(result->steps, 8);
  EXPECT_EQ(workload.steps, 18);
  EXPECT_DOUBLE_EQ(result->measured_s, 2);
  EXPECT_EQ(result->samples, 8 * 64);
  EXPECT_THAT(result->step_s, SizeIs(8));
  EXPECT_THAT(result->step_s, Each(0.25));
  EXPECT_EQ(result->stop_reason, "steps");
  EXPECT_THAT(observer_.phases, ElementsAre("warm-up", "measure", "finish"));
}

TEST_F(RunLoopTest, TheFirstRuleThatFiresIsNamed) {
  FakeWorkload workload(&clock_, [](int64_t) { return 0.5; });
  StopRules rules = Steps(1000);
  rules.Add(StopAfterDuration(3));
  const auto result = Run(&workload, {}, std::move(rules));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop_reason, "duration_s");
  EXPECT_EQ(result->steps, 6);
}

TEST_F(RunLoopTest, ShortStepsAreMeasuredInGroupsAndNeverBeyondTheStepCount) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1e-5; });
  const auto result = Run(&workload, {.warmup_steps = 3, .shortest_sample_s = 1e-3}, Steps(250));
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(static_cast<double>(result->steps_per_sample), 100, 1);
  EXPECT_EQ(result->steps, 250);
  EXPECT_EQ(workload.steps, 253);
  EXPECT_THAT(result->step_s, SizeIs(3));
  EXPECT_NEAR(result->step_s.front(), 1e-5, 1e-12);
  EXPECT_LT(workload.synchronisations, 10);
}

TEST_F(RunLoopTest, AKnownNumberOfShortStepsStillGivesEnoughSamples) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step < 3 ? 1.0 : 1e-5; });
  const auto result = Run(&workload, {.warmup_steps = 3, .shortest_sample_s = 1e-3, .fewest_samples = 20}, Steps(60));
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->step_s, SizeIs(testing::Ge(20u)));
  EXPECT_EQ(result->steps, 60);
}

TEST_F(RunLoopTest, AWarmUpThatWasDisturbedDoesNotLeaveTheSamplesTooShort) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step < 3 ? 1.0 : 1e-5; });
  const auto result = Run(&workload, {.warmup_steps = 3, .shortest_sample_s = 1e-3}, Steps(100000));
  ASSERT_TRUE(result.ok());
  EXPECT_GE(result->steps_per_sample, 50);
  EXPECT_LT(result->step_s.size(), 2500u);
}

TEST_F(RunLoopTest, EpochsAreTimedWithoutTheirEvaluation) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  workload.steps_per_epoch = 5;
  StopRules rules;
  rules.Add(StopAfterEpochs(3, 13));
  const auto result = Run(&workload, {.warmup_steps = 2}, std::move(rules));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop_reason, "epochs");
  EXPECT_EQ(workload.steps, 15);
  EXPECT_EQ(workload.epochs_begun, 3);
  EXPECT_EQ(result->steps, 13);
  EXPECT_DOUBLE_EQ(result->measured_s, 13);
  EXPECT_DOUBLE_EQ(result->total_s, 15 + 3 * 100);
  ASSERT_THAT(observer_.epochs, SizeIs(3));
  EXPECT_EQ(observer_.epochs.front().epoch, 1);
  for (const TrainingEpoch& epoch : observer_.epochs) EXPECT_DOUBLE_EQ(epoch.epoch_s, 5);
  EXPECT_THAT(observer_.phases, ElementsAre("warm-up", "measure", "evaluate", "measure", "evaluate", "measure",
                                            "evaluate", "measure", "finish"));
}

TEST_F(RunLoopTest, AShortLastBatchCountsInTheTotalsAndNotAmongTheStepTimes) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step % 5 == 4 ? 0.5 : 1.0; });
  workload.steps_per_epoch = 5;
  workload.last_batch = 32;
  const auto result = Run(&workload, {.warmup_steps = 1}, Steps(9));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->steps, 9);
  EXPECT_EQ(result->samples, 7 * 64 + 2 * 32);
  EXPECT_DOUBLE_EQ(result->measured_s, 8);
  EXPECT_THAT(result->step_s, SizeIs(7));
  ASSERT_THAT(result->totals, SizeIs(7));
  EXPECT_EQ(result->totals[3].steps, 5) << "the short batch before it is within";
  EXPECT_EQ(result->totals[3].samples, 4 * 64 + 32);
  EXPECT_DOUBLE_EQ(result->totals[3].measured_s, 4.5);
  EXPECT_THAT(result->step_s, Each(1.0));
}

TEST_F(RunLoopTest, ARunThatEndsWithinAnEpochIsCheckedForDivergenceToo) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  workload.steps_per_epoch = 5;
  workload.loss_so_far = std::nan("");
  const auto result = Run(&workload, {.warmup_steps = 1}, Steps(2));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().kind(), "diverged");
}

TEST_F(RunLoopTest, ARunThatEndsWithinAnEpochTellsItsLoss) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  workload.steps_per_epoch = 5;
  workload.loss_so_far = 0.25;
  EXPECT_EQ(Run(&workload, {.warmup_steps = 1}, Steps(2))->loss_so_far, 0.25);
  EXPECT_FALSE(Run(&workload, {.warmup_steps = 1}, Steps(4))->loss_so_far.has_value()) << "the epoch's own is told";
}

TEST_F(RunLoopTest, WarmUpMayReachOverTheEndOfAnEpoch) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  workload.steps_per_epoch = 4;
  const auto result = Run(&workload, {.warmup_steps = 6}, Steps(1));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->warmup_steps, 6);
  EXPECT_EQ(workload.steps, 7);
  EXPECT_THAT(observer_.epochs, SizeIs(1));
}

TEST_F(RunLoopTest, ALossThatIsNotFiniteIsDivergence) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  workload.steps_per_epoch = 4;
  workload.score = {.loss = std::nan("")};
  const auto result = Run(&workload, {}, Steps(100));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().kind(), "diverged");
  EXPECT_EQ(workload.steps, 4);
}

TEST_F(RunLoopTest, StopsWhenNobodyListens) {
  FakeWorkload workload(&clock_, [](int64_t) { return 1.0; });
  observer_.stop_at = 5;
  const auto result = Run(&workload, {}, Steps(1000000));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(workload.steps, 6);
}

}  // namespace
}  // namespace fleetmark
