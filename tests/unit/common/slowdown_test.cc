#include "common/slowdown.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace fleetmark {
namespace {

TEST(SlowdownTest, AClockThatFellWhileBusy) {
  const std::vector<double> clock = {3000, 3000, 3000, 3000, 3000, 3000, 2000, 2000, 2000, 2000};
  const std::vector<double> busy(clock.size(), 100);
  const auto drop = FindClockDrop(clock, busy);
  ASSERT_TRUE(drop.has_value());
  EXPECT_DOUBLE_EQ(3000, drop->from);
  EXPECT_DOUBLE_EQ(2000, drop->to);
  EXPECT_NEAR(1.0 / 3, drop->share, 1e-12);
}

TEST(SlowdownTest, AClockThatFellBecauseNothingWasDoneIsNoDrop) {
  const std::vector<double> clock = {3000, 3000, 3000, 3000, 3000, 3000, 3000, 3000, 800, 800};
  const std::vector<double> busy = {100, 100, 100, 100, 100, 100, 100, 100, 5, 5};
  EXPECT_DOUBLE_EQ(0, FindClockDrop(clock, busy)->share);
}

TEST(SlowdownTest, TooFewPointsOrNoWordOfHowBusyItWasGiveNothing) {
  EXPECT_FALSE(FindClockDrop(std::vector<double>(4, 3000), std::vector<double>(4, 100)).has_value());
  EXPECT_FALSE(FindClockDrop(std::vector<double>(10, 3000), {}).has_value());
}

TEST(SlowdownTest, OneStepIsToldFromALine) {
  std::vector<double> step(100, 0.1), line;
  for (size_t i = 50; i < step.size(); ++i) step[i] = 0.13;
  for (int i = 0; i < 100; ++i) line.push_back(0.1 + 0.0003 * i);
  EXPECT_TRUE(IsStep(step));
  EXPECT_FALSE(IsStep(line));
  EXPECT_GT(TrendShare(line), 0.99);
  EXPECT_DOUBLE_EQ(0, TrendShare(std::vector<double>(100, 0.1)));
}

TEST(SlowdownTest, SlowerIsWhatLasts) {
  std::vector<double> step(100, 0.1);
  for (size_t i = 50; i < step.size(); ++i) step[i] = 0.13;
  EXPECT_NEAR(0.3, SlowerFrom(step, 50), 1e-9);
  for (size_t i = 60; i < step.size(); ++i) step[i] = 0.1;
  EXPECT_LT(SlowerFrom(step, 50), 0.06);
  EXPECT_DOUBLE_EQ(0, SlowerFrom(step, 0));
  EXPECT_DOUBLE_EQ(0, SlowerFrom(step, 100));
  step[7] = 0;
  EXPECT_DOUBLE_EQ(0, SlowerFrom(step, 50));
}

TEST(SlowdownTest, TimesThatAreNoTimesAreNoStep) {
  std::vector<double> step(100, 0.1);
  step[3] = -100;
  EXPECT_FALSE(IsStep(step));
  EXPECT_DOUBLE_EQ(0, TrendShare(step));
  step[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(IsStep(step));
  EXPECT_FALSE(IsStep(std::vector<double>{1, 2}));
}

}  // namespace
}  // namespace fleetmark
