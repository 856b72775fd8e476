#include "agent/worker/steady_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/worker/fake_workload.h"

namespace fleetmark {
namespace {

using testing::Each;
using testing::SizeIs;

class SteadyPartTest : public testing::Test {
 protected:
  LoopResult Run(FakeWorkload* workload, const LoopOptions& options, int64_t steps) {
    StopRules rules;
    rules.Add(StopAfterSteps(steps));
    auto loop = RunLoop(workload, options, &rules, clock_, &observer_);
    EXPECT_TRUE(loop.ok());
    KeepSteadyPart(&*loop);
    return *std::move(loop);
  }

  FakeClock clock_;
  RecordingObserver observer_;
};

TEST_F(SteadyPartTest, TheSlowStepsBehindTheFixedWarmUpAreLeftOutOfEverything) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step == 0 ? 8.0 : step < 13 ? 1.0 : 0.25; });
  const LoopResult loop = Run(&workload, {.warmup_steps = 3}, 100);
  EXPECT_EQ(loop.warmup_found, 10);
  EXPECT_DOUBLE_EQ(loop.warmup_found_s, 10);
  EXPECT_EQ(loop.warmup_steps, 13);
  EXPECT_EQ(loop.steps, 90);
  EXPECT_EQ(loop.samples, 90 * 64);
  EXPECT_DOUBLE_EQ(loop.measured_s, 90 * 0.25);
  EXPECT_THAT(loop.step_s, SizeIs(90));
  EXPECT_THAT(loop.step_s, Each(0.25));
  EXPECT_THAT(loop.warmup_step_s, SizeIs(10));
  EXPECT_THAT(loop.warmup_step_s, Each(1.0));
  EXPECT_EQ(loop.is_steady, true);
  EXPECT_EQ(loop.totals.back().steps, 90);
  EXPECT_DOUBLE_EQ(loop.totals.back().measured_s, 90 * 0.25);
  EXPECT_DOUBLE_EQ(loop.first_call_s, 8);
  EXPECT_DOUBLE_EQ(loop.total_s, 8 + 12 + 90 * 0.25) << "of the whole";
  EXPECT_EQ(loop.stop_reason, "steps");
}

TEST_F(SteadyPartTest, IsExactWhereSamplesHoldDifferentNumbersOfSteps) {
  // The slow steps end a sample early each, and then samples become longer and longer.
  FakeWorkload workload(&clock_, [](int64_t step) { return step < 21 ? 0.5 : 0x1p-12; });
  const LoopResult loop = Run(&workload, {.warmup_steps = 1, .shortest_sample_s = 0x1p-6}, 20000);
  EXPECT_GT(loop.steps_per_sample, 16);
  EXPECT_EQ(loop.warmup_found, 20);
  EXPECT_EQ(loop.steps, 19980);
  EXPECT_DOUBLE_EQ(loop.measured_s, 19980 * 0x1p-12);
  EXPECT_EQ(loop.samples, 19980 * 64);
  EXPECT_EQ(loop.totals.back().steps, loop.steps);
}

TEST_F(SteadyPartTest, AShortBatchBelongsToThePartThatItIsRunIn) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step < 11 ? 2.0 : step % 5 == 4 ? 0.5 : 1.0; });
  workload.steps_per_epoch = 5;
  workload.last_batch = 32;
  const LoopResult loop = Run(&workload, {.warmup_steps = 1}, 199);
  // Steps 1 to 10 are slow: 8 samples and the short batches 4 and 9. Ten samples are left out: up to step 12.
  EXPECT_EQ(loop.warmup_found, 12);
  EXPECT_EQ(loop.steps, 187);
  EXPECT_EQ(loop.samples, 187 * 64 - 38 * 32);
  EXPECT_DOUBLE_EQ(loop.measured_s, 187 - 38 * 0.5);
  EXPECT_THAT(loop.step_s, SizeIs(187 - 38));
}

TEST_F(SteadyPartTest, OfFewStepsNothingIsLeftOutOrClaimed) {
  FakeWorkload workload(&clock_, [](int64_t step) { return step < 4 ? 2.0 : 1.0; });
  const LoopResult loop = Run(&workload, {.warmup_steps = 2}, 2);
  EXPECT_EQ(loop.steps, 2);
  EXPECT_EQ(loop.warmup_steps, 2);
  EXPECT_FALSE(loop.is_steady.has_value());
}

TEST_F(SteadyPartTest, WhatNeverSettlesIsKeptWhole) {
  FakeWorkload workload(&clock_, [](int64_t step) { return 3 - 0.01 * static_cast<double>(step); });
  const LoopResult loop = Run(&workload, {}, 200);
  EXPECT_EQ(loop.steps, 200);
  EXPECT_EQ(loop.warmup_found, 0);
  EXPECT_EQ(loop.is_steady, false);
}

TEST_F(SteadyPartTest, TimesOfZeroAreSurvived) {
  FakeWorkload workload(&clock_, [](int64_t) { return 0.0; });
  const LoopResult loop = Run(&workload, {}, 100);
  EXPECT_EQ(loop.steps, 100);
  EXPECT_FALSE(loop.is_steady.has_value());
}

}  // namespace
}  // namespace fleetmark
