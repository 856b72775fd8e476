#include "agent/worker/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "common/bootstrap.h"

namespace fleetmark {
namespace {

TEST(Metrics, EachIsDeclaredOnceWithKnownWords) {
  std::set<std::string_view> names;
  for (const MetricDefinition& metric : AllMetrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(metric.better == "more" || metric.better == "less" || metric.better.empty()) << metric.name;
    EXPECT_TRUE(metric.aggregate == "median" || metric.aggregate == "best" || metric.aggregate == "last" ||
                metric.aggregate == "sum")
        << metric.name;
    EXPECT_FALSE(metric.doc.empty()) << metric.name;
  }
}

TEST(Metrics, ARateIsTotalOverTotalWithTheTurnedIntervalOfTheTimes) {
  std::vector<double> times;
  for (int i = 0; i < 40; ++i) times.push_back(i % 4 < 2 ? 0.1 : 0.3);
  MetricRecorder recorder;
  recorder.RecordRate("it_per_s", 5, 1, times);
  const MetricValue& rate = recorder.metrics().front();
  EXPECT_DOUBLE_EQ(rate.value, 5);
  EXPECT_EQ(rate.sample->n, 40);
  EXPECT_DOUBLE_EQ(rate.sample->max, 10);
  EXPECT_NEAR(rate.sample->mean, (10 + 1 / 0.3) / 2, 1e-12);
  ASSERT_TRUE(rate.interval.known);
  const Interval of_times = MeanInterval(times);
  EXPECT_NEAR(rate.interval.low, 1 / of_times.high, 1e-9);
  EXPECT_NEAR(rate.interval.high, 1 / of_times.low, 1e-9);
  EXPECT_LT(rate.interval.low, 4.9);
}

TEST(Metrics, TheIntervalIsAroundTheExactMeanAndOfTheValuesThatAreGiven) {
  const std::vector<double> times = {1, 2, 3, 2, 1, 2, 3, 3, 2, 1, 2}, others = {2, 2, 3, 2, 3, 2, 3, 3, 2, 3, 2};
  MetricRecorder recorder;
  recorder.RecordTimes("step_s", 2.25, times);
  recorder.RecordTimes("data_wait_s", Mean(others), others);
  const Interval first = MeanInterval(times), second = MeanInterval(others);
  EXPECT_NEAR(recorder.metrics()[0].interval.low - 2.25, first.low - Mean(times), 1e-12);
  EXPECT_NEAR(recorder.metrics()[0].interval.high - 2.25, first.high - Mean(times), 1e-12);
  EXPECT_NEAR(recorder.metrics()[1].interval.low, second.low, 1e-12) << "not that of the values before";
}

TEST(Metrics, AnIntervalThatReachesZeroTimeGivesNoIntervalOfTheRate) {
  std::vector<double> times(40, 0.001);
  times[20] = 50;
  MetricRecorder recorder;
  recorder.RecordRate("it_per_s", 1, 1, times);
  EXPECT_FALSE(recorder.metrics().front().interval.known);
}

}  // namespace
}  // namespace fleetmark
