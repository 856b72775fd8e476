#include "common/warmup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "common/statistics.h"
#include "tests/unit/common/traces.h"

namespace fleetmark {
namespace {

// MSER-5 as it is defined, sum by sum: the number of batches to leave out, of up to half of them.
size_t ByDefinition(const std::vector<double>& values) {
  std::vector<double> batches;
  for (size_t i = 0; i + 5 <= values.size(); i += 5) batches.push_back(Mean(std::span(values).subspan(i, 5)));
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t left_out = 0; left_out <= batches.size() / 2; ++left_out) {
    const std::span<const double> rest = std::span<const double>(batches).subspan(left_out);
    double sum = 0;
    for (const double batch : rest) sum += (batch - Mean(rest)) * (batch - Mean(rest));
    const double statistic = sum / static_cast<double>(rest.size() * rest.size());
    if (statistic < least) {
      least = statistic;
      best = left_out;
    }
  }
  return best;
}

TEST(Warmup, TheSlowBeginningIsLeftOut) {
  std::vector<double> step_s = Autoregression(1, 400, 0, 0.1, 0.001);
  for (size_t i = 0; i < 60; ++i) step_s[i] += 0.05 * std::exp(-static_cast<double>(i) / 15);
  const Warmup warmup = FindWarmup(step_s);
  EXPECT_EQ(warmup.is_steady, true);
  EXPECT_GE(warmup.samples, 40u);
  EXPECT_LE(warmup.samples, 90u);
}

TEST(Warmup, OfTwoLevelsThePlaceIsExact) {
  std::vector<double> step_s(103, 1.0);
  std::fill(step_s.begin(), step_s.begin() + 13, 2.0);
  EXPECT_EQ(FindWarmup(step_s).samples, 15u) << "whole batches of five";
  EXPECT_EQ(FindWarmup(step_s).is_steady, true);
}

TEST(Warmup, IsTheTruncationOfTheDefinition) {
  int found = 0, unsteady = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::vector<double> step_s = Autoregression(seed, 100 + seed % 97, 0.3, 1, 0.02);
    const double height = 0.1 * static_cast<double>(seed % 4), length = 5 + static_cast<double>(seed % 30);
    for (size_t i = 0; i < step_s.size(); ++i) step_s[i] += height * std::exp(-static_cast<double>(i) / length);
    const size_t expected = ByDefinition(step_s), half = step_s.size() / 5 / 2;
    const Warmup warmup = FindWarmup(step_s);
    EXPECT_EQ(warmup.is_steady, expected < half) << seed;
    if (expected == half) {
      EXPECT_EQ(warmup.samples, 0u);
      ++unsteady;
    } else if (warmup.samples > 0) {
      EXPECT_EQ(warmup.samples, 5 * expected) << seed;
      ++found;
    } else if (expected > 0) {
      const std::span<const double> all(step_s);
      EXPECT_LE(Mean(all.first(5 * expected)), Mean(all.subspan(5 * expected)) + 0.01) << "only where it is no slower";
    }
  }
  EXPECT_GT(found, 50);
  EXPECT_GT(unsteady, 3);
}

TEST(Warmup, WhatNeverSettlesIsNotSteadyAndKeptWhole) {
  std::vector<double> step_s;
  for (int i = 0; i < 200; ++i) step_s.push_back(1 - 0.002 * i);
  const Warmup warmup = FindWarmup(step_s);
  EXPECT_EQ(warmup.is_steady, false);
  EXPECT_EQ(warmup.samples, 0u);
}

TEST(Warmup, AFastBeginningIsABurstAndStays) {
  std::vector<double> step_s = Autoregression(3, 300, 0, 0.2, 0.002);
  for (size_t i = 0; i < 100; ++i) step_s[i] /= 2;
  const Warmup warmup = FindWarmup(step_s);
  EXPECT_EQ(warmup.is_steady, true);
  EXPECT_EQ(warmup.samples, 0u);
}

TEST(Warmup, NoiseAloneIsSteadyAndLosesLittle) {
  int unsteady = 0;
  size_t left_out = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const Warmup warmup = FindWarmup(Autoregression(seed, 500, 0.5, 1, 0.05));
    unsteady += warmup.is_steady == false;
    left_out += warmup.samples;
  }
  EXPECT_LE(unsteady, 25);
  EXPECT_LT(left_out, 500u * 500 / 10);
}

TEST(Warmup, TooFewToTell) {
  std::vector<double> step_s(99, 1.0);
  step_s[0] = 100;
  EXPECT_EQ(FindWarmup(step_s).samples, 0u);
  EXPECT_FALSE(FindWarmup(step_s).is_steady.has_value());
  EXPECT_FALSE(FindWarmup({}).is_steady.has_value());
  step_s.push_back(1);
  EXPECT_EQ(FindWarmup(step_s).samples, 5u);
}

TEST(Warmup, ConstantTimesAreSteadyFromTheStart) {
  const std::vector<double> step_s(1003, 0.1);
  EXPECT_EQ(FindWarmup(step_s).samples, 0u);
  EXPECT_EQ(FindWarmup(step_s).is_steady, true);
}

TEST(Warmup, WhatIsNoStepTimeTellsNothing) {
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<double> step_s(100, 1.0);
    step_s[0] = 50;
    step_s[70] = bad;
    EXPECT_EQ(FindWarmup(step_s).samples, 0u) << bad;
    EXPECT_FALSE(FindWarmup(step_s).is_steady.has_value()) << bad;
  }
}

}  // namespace
}  // namespace fleetmark
