#include "common/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace fleetmark {
namespace {

TEST(Statistics, SummarizesAKnownSample) {
  const std::vector<double> values = {4, 1, 3, 2, 5};
  const Summary summary = Summarize(values);
  EXPECT_EQ(summary.n, 5);
  EXPECT_DOUBLE_EQ(summary.mean, 3);
  EXPECT_DOUBLE_EQ(summary.median, 3);
  EXPECT_DOUBLE_EQ(summary.sd, std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(summary.mad, 1);
  EXPECT_DOUBLE_EQ(summary.min, 1);
  EXPECT_DOUBLE_EQ(summary.max, 5);
  EXPECT_DOUBLE_EQ(summary.p5, 1.2);
  EXPECT_DOUBLE_EQ(summary.p95, 4.8);
  EXPECT_DOUBLE_EQ(summary.p99, 4.96);
}

TEST(Statistics, OfNothingAndOfOneValue) {
  EXPECT_EQ(Summarize({}).n, 0);
  const std::vector<double> one = {7};
  const Summary summary = Summarize(one);
  EXPECT_EQ(summary.n, 1);
  EXPECT_DOUBLE_EQ(summary.median, 7);
  EXPECT_DOUBLE_EQ(summary.sd, 0);
  EXPECT_DOUBLE_EQ(summary.p99, 7);
}

TEST(Statistics, TheMedianAbsoluteDeviationTakesNoNoticeOfAFewOddValues) {
  const std::vector<double> values = {1, 1, 2, 2, 4, 6, 900};
  EXPECT_DOUBLE_EQ(Summarize(values).median, 2);
  EXPECT_DOUBLE_EQ(Summarize(values).mad, 1);
  const std::vector<double> even = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(Summarize(even).mad, 1.5) << "1, 1, 2 and 5 from 3";
}

TEST(Statistics, OfValuesThatAreNotFinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> values(1000, 1.0);
  values[500] = std::nan("");
  const Summary unknown = Summarize(values);
  EXPECT_EQ(unknown.n, 1000);
  for (const double value : {unknown.mean, unknown.median, unknown.sd, unknown.mad, unknown.min, unknown.max,
                             unknown.p5, unknown.p95, unknown.p99}) {
    EXPECT_TRUE(std::isnan(value));
  }
  std::fill(values.begin(), values.end(), kInfinity);
  EXPECT_TRUE(std::isnan(Summarize(values).mad));
}

TEST(Statistics, MedianOfAnEvenCountLiesBetween) {
  const std::vector<double> values = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(Summarize(values).median, 3);
}

TEST(Statistics, IntervalOverBlockMeansMatchesHandComputation) {
  // 10 values make 5 blocks of 2 with means 1, 2, 3, 4, 5: mean 3, sd sqrt(2.5), t(4) = 2.776.
  const std::vector<double> values = {0, 2, 1, 3, 2, 4, 3, 5, 4, 6};
  const Interval interval = BlockMeanInterval(values);
  ASSERT_TRUE(interval.known);
  const double half = 2.776 * std::sqrt(2.5) / std::sqrt(5.0);
  EXPECT_NEAR(interval.low, 3 - half, 1e-12);
  EXPECT_NEAR(interval.high, 3 + half, 1e-12);
}

TEST(Statistics, IntervalHoldsTheMeanWhereverTheValuesAreOdd) {
  // 59 values make 20 blocks; were what does not fill a block left out, the odd beginning would move the interval away.
  std::vector<double> values(59, 1.0);
  std::fill(values.begin(), values.begin() + 19, 9.0);
  const Interval interval = BlockMeanInterval(values);
  const double mean = Summarize(values).mean;
  EXPECT_NEAR((interval.low + interval.high) / 2, mean, 1e-12);
  EXPECT_LT(interval.low, mean);
}

TEST(Statistics, FewValuesAreABlockEach) {
  // Mean 3, sd sqrt(2.5), t(4) = 2.776.
  const std::vector<double> values = {1, 2, 3, 4, 5};
  const Interval interval = BlockMeanInterval(values);
  ASSERT_TRUE(interval.known);
  EXPECT_NEAR(interval.high, 3 + 2.776 * std::sqrt(2.5) / std::sqrt(5.0), 1e-12);
}

TEST(Statistics, NoIntervalFromFewValues) {
  const std::vector<double> values(4, 1.0);
  EXPECT_FALSE(BlockMeanInterval(values).known);
}

TEST(Statistics, ConstantSeriesHasAnIntervalOfNoWidth) {
  const std::vector<double> values(1003, 0.5);
  const Interval interval = BlockMeanInterval(values);
  ASSERT_TRUE(interval.known);
  EXPECT_DOUBLE_EQ(interval.low, 0.5);
  EXPECT_DOUBLE_EQ(interval.high, 0.5);
}

TEST(Statistics, AutocorrelatedSeriesHasAWiderIntervalThanIndependentValuesWould) {
  std::vector<double> slow;
  for (int i = 0; i < 400; ++i) slow.push_back(1 + (i / 100) % 2);
  const Interval interval = BlockMeanInterval(slow);
  const Summary summary = Summarize(slow);
  EXPECT_GT(interval.high - interval.low, 3 * 2 * 1.96 * summary.sd / std::sqrt(400.0));
}

TEST(Statistics, StudentT) {
  EXPECT_DOUBLE_EQ(StudentT975(1), 12.706);
  EXPECT_DOUBLE_EQ(StudentT975(30), 2.042);
  EXPECT_NEAR(StudentT975(31), 2.0395, 0.0005);
  EXPECT_NEAR(StudentT975(60), 2.0003, 0.0005);
  EXPECT_NEAR(StudentT975(1000000), 1.95997, 0.0005);
}

}  // namespace
}  // namespace fleetmark
