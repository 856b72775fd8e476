#include "common/change_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/unit/common/traces.h"

namespace fleetmark {
namespace {

double SquaredDeviations(std::span<const double> values) {
  double mean = 0, sum = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

double CostOf(std::span<const double> values, const std::vector<size_t>& starts, double penalty) {
  double cost = penalty * static_cast<double>(starts.size());
  size_t first = 0;
  for (size_t i = 0; i <= starts.size(); ++i) {
    const size_t end = i < starts.size() ? starts[i] : values.size();
    cost += SquaredDeviations(values.subspan(first, end - first));
    first = end;
  }
  return cost;
}

// The least cost of all segmentations, by trying every place of the last change.
double LeastCost(std::span<const double> values, double penalty, size_t shortest) {
  std::vector<double> least(values.size() + 1, std::numeric_limits<double>::infinity());
  for (size_t end = shortest; end <= values.size(); ++end) {
    least[end] = SquaredDeviations(values.first(end));
    for (size_t start = shortest; start + shortest <= end; ++start) {
      least[end] = std::min(least[end], least[start] + penalty + SquaredDeviations(values.subspan(start, end - start)));
    }
  }
  return least.back();
}

TEST(Pelt, FindsTheCheapestSegmentationOfAll) {
  size_t changes = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const size_t shortest = 1 + seed % 6;
    std::vector<double> values = Autoregression(seed, 6 + seed % 60, 0.4, 0, 1);
    for (size_t i = 0; i < values.size(); ++i) values[i] += static_cast<double>(i / (5 + seed % 13) % 3);
    const double penalty = 0.2 * static_cast<double>(1 + seed % 40);
    const std::vector<size_t> starts = Pelt(values, penalty, shortest);
    EXPECT_NEAR(CostOf(values, starts, penalty), LeastCost(values, penalty, shortest), 1e-9) << seed;
    size_t last = 0;
    for (const size_t start : starts) {
      EXPECT_GE(start - last, shortest) << seed;
      last = start;
    }
    EXPECT_GE(values.size() - last, shortest) << seed;
    changes += starts.size();
  }
  EXPECT_GT(changes, 500u);
}

TEST(Pelt, OfTooLittleFindsNothing) {
  EXPECT_TRUE(Pelt({}, 1, 5).empty());
  const std::vector<double> values = {0, 0, 0, 9, 9, 9};
  EXPECT_TRUE(Pelt(values, 1, 7).empty());
  EXPECT_TRUE(Pelt(values, 1, 4).empty()) << "no room for two segments";
  EXPECT_EQ(Pelt(values, 1, 3), std::vector<size_t>{3});
  EXPECT_TRUE(Pelt(values, 1000, 3).empty());
}

TEST(ChangePoints, ADropIsFoundInItsPlace) {
  for (const size_t n : {100, 1000, 30000}) {
    for (const double phi : {0.0, 0.5}) {
      std::vector<double> step_s = Autoregression(n, n, phi, 0.1, 0.003);
      const size_t place = n * 6 / 10;
      for (size_t i = place; i < n; ++i) step_s[i] *= 1.2;
      const std::vector<ChangePoint> points = FindChangePoints(step_s);
      ASSERT_EQ(points.size(), 1u) << n << " " << phi;
      EXPECT_NEAR(static_cast<double>(points[0].sample), static_cast<double>(place), 0.05 * static_cast<double>(n));
      EXPECT_NEAR(points[0].at_s, 0.1 * static_cast<double>(points[0].sample), 0.005 * static_cast<double>(n));
      EXPECT_NEAR(points[0].before_s, 0.1, 0.003);
      EXPECT_NEAR(points[0].after_s, 0.12, 0.004);
    }
  }
}

TEST(ChangePoints, ThereAndBackAreTwo) {
  std::vector<double> step_s = Autoregression(7, 900, 0.3, 1, 0.02);
  for (size_t i = 300; i < 500; ++i) step_s[i] *= 1.3;
  const std::vector<ChangePoint> points = FindChangePoints(step_s);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_NEAR(static_cast<double>(points[0].sample), 300, 10);
  EXPECT_NEAR(static_cast<double>(points[1].sample), 500, 10);
  EXPECT_DOUBLE_EQ(points[1].before_s, points[0].after_s);
}

int WithAny(int traces, size_t n, double phi) {
  int any = 0;
  for (int seed = 1; seed <= traces; ++seed) {
    any += !FindChangePoints(Autoregression(static_cast<uint64_t>(seed), n, phi, 1, 0.1)).empty();
  }
  return any;
}

TEST(ChangePoints, NoiseHasNone) {
  constexpr int kTraces = Traces(300), kMost = kTraces / 50 + kIsSanitized;
  for (const size_t n : {60, 200, 500}) {
    EXPECT_LE(WithAny(kTraces, n, 0), kMost) << n << " independent times";
    EXPECT_LE(WithAny(kTraces, n, 0.5), kMost) << n << " autocorrelated times";
  }
}

TEST(ChangePoints, LoneSlowStepsAreNone) {
  std::vector<double> step_s = Autoregression(11, 1000, 0, 1, 0.01);
  for (size_t i = 20; i < step_s.size(); i += 137) step_s[i] = 5;
  EXPECT_TRUE(FindChangePoints(step_s).empty());
}

TEST(ChangePoints, AChangeBelowThreePercentIsNotWorthAWord) {
  std::vector<double> step_s = Autoregression(13, 1000, 0, 1, 0.005);
  for (size_t i = 500; i < 1000; ++i) step_s[i] *= 1.025;
  EXPECT_TRUE(FindChangePoints(step_s).empty());
  for (size_t i = 500; i < 1000; ++i) step_s[i] *= 1.015;
  EXPECT_EQ(FindChangePoints(step_s).size(), 1u);
}

TEST(ChangePoints, OfTwoConstantsThePlaceIsExact) {
  std::vector<double> step_s(200, 1.0);
  EXPECT_TRUE(FindChangePoints(step_s).empty());
  std::fill(step_s.begin() + 77, step_s.end(), 1.5);
  const std::vector<ChangePoint> points = FindChangePoints(step_s);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].sample, 77u);
  EXPECT_DOUBLE_EQ(points[0].at_s, 77);
  EXPECT_NEAR(points[0].before_s, 1, 1e-12);
  EXPECT_NEAR(points[0].after_s, 1.5, 1e-12);
}

TEST(ChangePoints, TooFewOrBadTimesHaveNone) {
  std::vector<double> step_s(60, 1.0);
  std::fill(step_s.begin() + 30, step_s.end(), 2.0);
  EXPECT_EQ(FindChangePoints(step_s).size(), 1u);
  EXPECT_TRUE(FindChangePoints(std::span(step_s).subspan(10, 49)).empty());
  EXPECT_TRUE(FindChangePoints({}).empty());
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    step_s[10] = bad;
    EXPECT_TRUE(FindChangePoints(step_s).empty()) << bad;
  }
}

}  // namespace
}  // namespace fleetmark
