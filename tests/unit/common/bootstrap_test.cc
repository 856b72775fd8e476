#include "common/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/unit/common/traces.h"

namespace fleetmark {
namespace {

// Of seeded traces of step times 93 to 97 % have intervals that hold the truth.
void ExpectCoverage(int traces, double truth, const std::function<std::vector<double>(uint64_t seed)>& trace) {
  traces = Traces(traces);
  int held = 0;
  for (int seed = 1; seed <= traces; ++seed) {
    const Interval interval = MeanInterval(trace(static_cast<uint64_t>(seed)));
    EXPECT_TRUE(interval.known);
    held += interval.low <= truth && truth <= interval.high;
  }
  const double coverage = static_cast<double>(held) / traces;
  // With a sanitizer there are a tenth as many: three standard errors more.
  const double slack = kIsSanitized ? 3 * std::sqrt(0.95 * 0.05 / traces) : 0;
  EXPECT_GE(coverage, 0.93 - slack);
  EXPECT_LE(coverage, 0.97 + slack);
}

TEST(Bootstrap, CoversTheTruthOfAutoregressions) {
  for (const auto& [phi, n] : {std::pair(0.5, 500), {0.8, 500}, {0.5, 1000}, {0.8, 1000}}) {
    SCOPED_TRACE(std::to_string(n) + " step times, autocorrelation " + std::to_string(phi));
    ExpectCoverage(2000, 0.02, [phi = phi, n = static_cast<size_t>(n)](uint64_t seed) {
      return Autoregression(seed, n, phi, 0.02, 0.001);
    });
  }
}

TEST(Bootstrap, CoversTheTruthOfIndependentTimes) {
  for (const size_t n : {20, 500}) {
    SCOPED_TRACE(n);
    ExpectCoverage(1000, 0.02, [=](uint64_t seed) { return Autoregression(seed, n, 0, 0.02, 0.001); });
  }
}

TEST(Bootstrap, CoversTheTruthOfSkewedTimes) {
  constexpr double kSigma = 0.5;
  ExpectCoverage(1000, std::exp(kSigma * kSigma / 2), [](uint64_t seed) {
    std::vector<double> times = Autoregression(seed, 500, 0, 0, kSigma);
    for (double& time : times) time = std::exp(time);
    return times;
  });
}

TEST(Bootstrap, BlocksAreAsLongAsTheDependenceAsksFor) {
  // Of an autoregression G / V is 2 phi / (1 - phi^2), from which the best length follows.
  constexpr size_t kCount = 2000;
  for (const double phi : {0.5, 0.8}) {
    constexpr int kTraces = 100;
    double sum = 0;
    for (uint64_t seed = 1; seed <= kTraces; ++seed) {
      sum += static_cast<double>(BlockLength(Autoregression(seed, kCount, phi, 1, 0.1)));
    }
    const double ratio = 2 * phi / (1 - phi * phi), best = std::cbrt(1.5 * ratio * ratio * kCount);
    EXPECT_NEAR(sum / kTraces, best, 0.25 * best) << phi;
  }
  EXPECT_EQ(BlockLength(Autoregression(1, 100, 0, 1, 0.1)), 1u);
  EXPECT_EQ(BlockLength(Autoregression(1, 6400, 0, 1, 0.1)), 50u) << "128 blocks are enough";
}

TEST(Bootstrap, OfIndependentTimesItIsTheIntervalOfTheTextbook) {
  const std::vector<double> times = Autoregression(5, 100, 0, 1, 0.1);
  const Summary summary = Summarize(times);
  const double half = StudentT975(99) * summary.sd / 10;
  const Interval interval = MeanInterval(times);
  EXPECT_NEAR(interval.low, summary.mean - half, 0.1 * half);
  EXPECT_NEAR(interval.high, summary.mean + half, 0.1 * half);
}

TEST(Bootstrap, TheSameValuesGiveTheSameIntervalForEver) {
  // Numbers of this very generator: another draw of the blocks, by another library say, would change them.
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) times.push_back(1 + 0.01 * ((i * i) % 17));
  const Interval interval = MeanInterval(times);
  EXPECT_NEAR(interval.low, 1.0658391145651192, 1e-12);
  EXPECT_NEAR(interval.high, 1.094415113360464, 1e-12);
}

TEST(Bootstrap, NoneIsMadeUpForFewValues) {
  const std::vector<double> times = Autoregression(1, 10, 0, 1, 0.1);
  EXPECT_TRUE(MeanInterval(times).known);
  EXPECT_FALSE(MeanInterval(std::span(times).first(9)).known);
  EXPECT_FALSE(MeanInterval({}).known);
  EXPECT_FALSE(MeanInterval(std::vector<double>(9, 1.0)).known) << "also of the same values";
}

TEST(Bootstrap, NoneForValuesThatAreNotFinite) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e308}) {
    std::vector<double> times(100, 1.0);
    times[50] = times[51] = bad;
    EXPECT_FALSE(MeanInterval(times).known) << bad;
  }
}

TEST(Bootstrap, NoneForAnythingThatIsInfiniteThroughout) {
  EXPECT_FALSE(MeanInterval(std::vector<double>(100, std::numeric_limits<double>::infinity())).known);
}

TEST(Bootstrap, OfEqualValuesItHasNoWidth) {
  const Interval interval = MeanInterval(std::vector<double>(1003, 0.1));
  ASSERT_TRUE(interval.known);
  EXPECT_EQ(interval.low, 0.1);
  EXPECT_EQ(interval.high, 0.1);
}

}  // namespace
}  // namespace fleetmark
