#include "common/steadiness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace fleetmark {
namespace {

TEST(Steadiness, BurstIsTheBestTenthAndSustainedTheWhole) {
  std::vector<double> step_s(40, 0.5);
  for (size_t i = 11; i < 15; ++i) step_s[i] = 0.25;
  const Steadiness steadiness = DescribeSteadiness(step_s, 1);
  EXPECT_DOUBLE_EQ(*steadiness.burst_it_per_s, 4);
  EXPECT_DOUBLE_EQ(*steadiness.sustained_it_per_s, 40 / (36 * 0.5 + 4 * 0.25));
}

TEST(Steadiness, TheTenthIsContiguous) {
  std::vector<double> step_s(40, 0.5);
  for (size_t i = 0; i < 40; i += 10) step_s[i] = 0.25;
  EXPECT_DOUBLE_EQ(*DescribeSteadiness(step_s, 1).burst_it_per_s, 4 / (3 * 0.5 + 0.25));
}

TEST(Steadiness, OfAConstantSpeedBurstIsSustained) {
  const Steadiness steadiness = DescribeSteadiness(std::vector<double>(1000, 0.125), 10);
  EXPECT_DOUBLE_EQ(*steadiness.burst_it_per_s, 8);
  EXPECT_DOUBLE_EQ(*steadiness.sustained_it_per_s, 8);
  EXPECT_NEAR(*steadiness.drift, 0, 1e-12);
  EXPECT_TRUE(steadiness.change_points.empty());
}

TEST(Steadiness, DriftIsHowMuchLongerAStepIsAtTheEnd) {
  std::vector<double> step_s;
  for (int i = 0; i < 500; ++i) step_s.push_back(0.1 * std::pow(1.2, i / 500.0));
  EXPECT_NEAR(*DescribeSteadiness(step_s, 1).drift, 0.2, 1e-9);
  for (double& seconds : step_s) seconds = 0.01 / seconds;
  EXPECT_NEAR(*DescribeSteadiness(step_s, 1).drift, 1 / 1.2 - 1, 1e-9);
}

TEST(Steadiness, AThrottledRunShowsItsChangeAtTheTimeItHappened) {
  std::vector<double> step_s(300, 0.01);
  for (size_t i = 150; i < 300; ++i) step_s[i] = 0.02;
  const Steadiness steadiness = DescribeSteadiness(step_s, 4);
  EXPECT_DOUBLE_EQ(*steadiness.burst_it_per_s, 100);
  EXPECT_NEAR(*steadiness.sustained_it_per_s, 200 / 3.0, 1e-9);
  ASSERT_EQ(steadiness.change_points.size(), 1u);
  EXPECT_EQ(steadiness.change_points[0].sample, 150u);
  EXPECT_NEAR(steadiness.change_points[0].at_s, 150 * 4 * 0.01, 1e-9);
}

TEST(Steadiness, WhatFewSamplesCannotTellIsAbsent) {
  const std::vector<double> step_s(9, 0.5);
  const Steadiness steadiness = DescribeSteadiness(step_s, 1);
  EXPECT_DOUBLE_EQ(*steadiness.sustained_it_per_s, 2);
  EXPECT_FALSE(steadiness.burst_it_per_s.has_value());
  EXPECT_FALSE(steadiness.drift.has_value());
  EXPECT_FALSE(DescribeSteadiness({}, 1).sustained_it_per_s.has_value());
}

TEST(Steadiness, WhatIsNoStepTimeIsCountedAndTheRestAbsent) {
  std::vector<double> step_s(100, 0.5);
  step_s[3] = 0;
  step_s[50] = -1;
  step_s[51] = std::nan("");
  step_s[99] = std::numeric_limits<double>::infinity();
  const Steadiness steadiness = DescribeSteadiness(step_s, 1);
  EXPECT_FALSE(steadiness.burst_it_per_s || steadiness.sustained_it_per_s || steadiness.drift);
  EXPECT_TRUE(steadiness.change_points.empty());
}

}  // namespace
}  // namespace fleetmark
