#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "agent/run_telemetry.h"
#include "agent/sampler/cost.h"

namespace fleetmark::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// A run whose steps are `share` longer while sampling is on.
struct MadeUpRun {
  double share = 0;
  double noise = 0.02;       // of a sample, as a share
  double drift_per_s = 0;    // steps become longer by this share of the first each second
  double sample_s = 0.0031;  // without sampling
  double from_s = 1.3;
  double length_s = 60;
};

std::vector<double> SamplesOf(const MadeUpRun& run, const BlockSchedule& blocks) {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, run.noise);
  std::vector<double> samples;
  for (double passed_s = 0; passed_s < run.length_s; passed_s += samples.back()) {
    const double extra = blocks.IsOnAt(run.from_s + passed_s) ? run.share : 0;
    samples.push_back(run.sample_s * (1 + extra) * (1 + run.drift_per_s * passed_s) * (1 + noise(random)));
  }
  return samples;
}

StatusOr<v1::TelemetryCost> CostOf(const MadeUpRun& run) {
  const BlockSchedule blocks;
  const std::vector<double> samples = SamplesOf(run, blocks);
  double length_s = 0;
  for (const double sample : samples) length_s += sample;
  return MeasureSamplingCost({samples, 1, run.from_s, run.from_s + length_s}, blocks);
}

TEST(BlockSchedule, TurnsAroundWithEachPair) {
  const BlockSchedule blocks;
  std::string turns;
  for (int block = 0; block < 8; ++block) turns += blocks.IsOnAt(block * blocks.block_s + 0.1) ? '1' : '0';
  EXPECT_EQ("10011001", turns);
}

TEST(SamplingCost, IsFoundAgain) {
  for (const double share : {0.0, 0.005, 0.05}) {
    const auto cost = CostOf({.share = share});
    ASSERT_TRUE(cost.ok()) << cost.status().message();
    EXPECT_NEAR(share, cost->share(), 0.002);
    EXPECT_LE(cost->ci_low(), share);
    EXPECT_GE(cost->ci_high(), share);
    EXPECT_LT(cost->ci_high() - cost->ci_low(), 0.006) << "the interval says something";
    EXPECT_EQ(15, cost->blocks());
  }
}

TEST(SamplingCost, ASteadySlowdownIsNotTakenForIt) {
  const auto cost = CostOf({.noise = 0, .drift_per_s = 0.005});
  ASSERT_TRUE(cost.ok());
  EXPECT_NEAR(0, cost->share(), 0.001) << "though a step takes 1 % longer two seconds later";
}

TEST(SamplingCost, HasNoIntervalForFewPairs) {
  const auto cost = CostOf({.share = 0.05, .from_s = 0.1, .length_s = 7});
  ASSERT_TRUE(cost.ok());
  EXPECT_EQ(2, cost->blocks());
  EXPECT_NEAR(0.05, cost->share(), 0.01);
  EXPECT_FALSE(cost->has_ci_low());
  EXPECT_FALSE(cost->has_ci_high());
}

TEST(SamplingCost, IsNotKnownWithoutTwoNeighbouringBlocks) {
  EXPECT_THAT(CostOf({.from_s = 0.1, .length_s = 1}).status().message(), HasSubstr("too short"));
  EXPECT_THAT(CostOf({.sample_s = 2.5}).status().message(), HasSubstr("too long"));
}

TEST(SamplingCost, IsNotKnownWhereNobodyKnowsWhenAStepWas) {
  const BlockSchedule blocks;
  const std::vector<double> samples(1000, 0.01);  // 10 s
  EXPECT_TRUE(MeasureSamplingCost({samples, 1, 1, 11}, blocks).ok());
  EXPECT_TRUE(MeasureSamplingCost({samples, 1, 1, 11.4}, blocks).ok());
  EXPECT_TRUE(MeasureSamplingCost({samples, 2, 1, 21}, blocks).ok()) << "each value stands for two steps";
  EXPECT_TRUE(MeasureSamplingCost({samples, 0, 1, 11}, blocks).ok());
  // Half a second of evaluation after each second of training.
  EXPECT_THAT(MeasureSamplingCost({samples, 1, 1, 16}, blocks).status().message(), HasSubstr("add up to 10"));
  EXPECT_THAT(MeasureSamplingCost({samples, 3, 1, 11}, blocks).status().message(), HasSubstr("add up to 30"));
  EXPECT_THAT(MeasureSamplingCost({samples, 1, 1, 1}, blocks).status().message(), HasSubstr("add up"));
  EXPECT_THAT(MeasureSamplingCost({samples, 1, {}, 11}, blocks).status().message(), HasSubstr("did not say"));
  EXPECT_THAT(MeasureSamplingCost({samples, 1, 1, {}}, blocks).status().message(), HasSubstr("did not say"));
  EXPECT_THAT(MeasureSamplingCost({{}, 1, 1, 11}, blocks).status().message(), HasSubstr("no step times"));
}

TEST(SamplingCost, IsNotKnownOfStepTimesThatAreNone) {
  for (const double absurd : {0.0, -0.01, std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<double> samples(1000, 0.01);
    samples[500] = absurd;
    EXPECT_THAT(MeasureSamplingCost({samples, 1, 1, 11}, {}).status().message(), HasSubstr("not above 0")) << absurd;
  }
}

v1::Result ResultOf(const MadeUpRun& run) {
  v1::Result result;
  const std::vector<double> values = SamplesOf(run, {});
  v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  samples->mutable_values()->Add(values.begin(), values.end());
  double length_s = 0;
  for (const double value : values) length_s += value;
  result.mutable_telemetry()->set_measured_from_s(run.from_s);
  result.mutable_telemetry()->set_measured_until_s(run.from_s + length_s);
  return result;
}

TEST(TellSamplingCost, NotesWhatIsMuch) {
  v1::Result result = ResultOf({.share = 0.05});
  TellSamplingCost({}, &result);
  EXPECT_NEAR(0.05, result.telemetry().cost().share(), 0.002);
  EXPECT_THAT(result.summary().notes(), Contains(HasSubstr("sampling made a step 5")));
}

TEST(TellSamplingCost, NotesWhatIsMuchThoughItIsNotKnownWell) {
  v1::Result result = ResultOf({.share = 0.05, .from_s = 0.1, .length_s = 7});
  TellSamplingCost({}, &result);
  ASSERT_FALSE(result.telemetry().cost().has_ci_low());
  EXPECT_THAT(result.summary().notes(), Contains(HasSubstr("too few blocks for an interval")));
}

TEST(TellSamplingCost, NotesNothingOfWhatIsLittle) {
  v1::Result result = ResultOf({.share = 0.005});
  TellSamplingCost({}, &result);
  EXPECT_TRUE(result.telemetry().has_cost());
  EXPECT_THAT(result.summary().notes(), IsEmpty());
}

TEST(TellSamplingCost, NotesWhyNothingIsKnown) {
  v1::Result result = ResultOf({});
  result.mutable_telemetry()->clear_measured_from_s();
  TellSamplingCost({}, &result);
  EXPECT_FALSE(result.telemetry().has_cost());
  EXPECT_THAT(result.summary().notes(),
              Contains(HasSubstr("what sampling costs is not known: the runner did not say")));
}

v1::Telemetry TelemetryOf(const std::string& name, const std::vector<float>& values) {
  v1::Telemetry telemetry;
  telemetry.set_interval_s(0.5);
  for (size_t i = 0; i < values.size(); ++i) telemetry.add_at_s(0.5 * static_cast<double>(i + 1));
  v1::TelemetrySeries* series = telemetry.add_series();
  series->set_name(name);
  series->mutable_values()->Add(values.begin(), values.end());
  telemetry.set_measured_from_s(1);
  telemetry.set_measured_until_s(2);
  return telemetry;
}

std::map<std::string, double> MetricsOf(const v1::Telemetry& telemetry) {
  std::map<std::string, double> metrics;
  for (const v1::Metric& metric : TelemetryMetrics(telemetry)) metrics[metric.name()] = metric.value();
  return metrics;
}

TEST(TelemetryMetrics, AreOfTheMeasuredPart) {
  const float unknown = std::nanf("");
  using testing::Pair;
  using testing::UnorderedElementsAre;
  EXPECT_THAT(MetricsOf(TelemetryOf("worker_cpu_percent", {10, 20, 100, 200, 9})),
              UnorderedElementsAre(Pair("cpu_percent", 150)));
  EXPECT_THAT(MetricsOf(TelemetryOf("gpu_util_percent", {0, 0, 90, unknown, 0})),
              UnorderedElementsAre(Pair("gpu_util_percent", 90)));
  EXPECT_THAT(MetricsOf(TelemetryOf("gpu_memory_bytes", {9, 9, 3, 4, 9})),
              UnorderedElementsAre(Pair("gpu_memory_bytes", 4)));
  EXPECT_THAT(MetricsOf(TelemetryOf("gpu_power_w", {0, 0, 100, 200, 0})), UnorderedElementsAre(Pair("energy_j", 150)));
  EXPECT_THAT(MetricsOf(TelemetryOf("package_power_w", {1, 1, unknown, unknown, 1})), IsEmpty());
}

TEST(TelemetryMetrics, NeedToKnowTheMeasuredPart) {
  v1::Telemetry telemetry = TelemetryOf("package_power_w", {1, 1, 1, 1});
  telemetry.clear_measured_from_s();
  EXPECT_THAT(MetricsOf(telemetry), IsEmpty());
}

}  // namespace
}  // namespace fleetmark::agent
