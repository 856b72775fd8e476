#include "common/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace fleetmark {
namespace {

constexpr size_t kMostBlocks = 20;
constexpr size_t kFewestBlocks = 5;

double SampleDeviation(std::span<const double> values, double mean) {
  if (values.size() < 2) return 0;
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Their order is that of two halves that are sorted, from the median down and up: merged as far as the middle.
double MedianAbsoluteDeviation(std::span<const double> sorted, double median) {
  if (!std::isfinite(median)) return kUnknown;
  auto above = std::lower_bound(sorted.begin(), sorted.end(), median), below = above;
  double last = 0, nearest = 0;
  for (size_t taken = 0; taken <= sorted.size() / 2; ++taken) {
    last = nearest;
    const bool is_above = below == sorted.begin() || (above != sorted.end() && *above - median <= median - below[-1]);
    nearest = is_above ? *above++ - median : median - *--below;
  }
  return sorted.size() % 2 == 1 ? nearest : (last + nearest) / 2;
}

}  // namespace

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Quantile(std::span<const double> sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double fraction = position - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
}

Summary Summarize(std::span<const double> values) {
  Summary summary;
  if (values.empty()) return summary;
  summary.n = static_cast<int>(values.size());
  if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) {  // has no order
    return {summary.n, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  summary.mean = Mean(sorted);
  summary.sd = SampleDeviation(sorted, summary.mean);
  summary.min = sorted.front();
  summary.max = sorted.back();
  summary.median = Quantile(sorted, 0.5);
  summary.mad = MedianAbsoluteDeviation(sorted, summary.median);
  summary.p5 = Quantile(sorted, 0.05);
  summary.p95 = Quantile(sorted, 0.95);
  summary.p99 = Quantile(sorted, 0.99);
  return summary;
}

Interval BlockMeanInterval(std::span<const double> values) {
  Interval interval;
  if (values.size() < kFewestBlocks) return interval;
  const size_t blocks = std::clamp(values.size() / 2, kFewestBlocks, kMostBlocks);
  std::array<double, kMostBlocks> storage;  // not a vector: a stop rule calls this between timed steps
  const std::span<double> means = std::span(storage).first(blocks);
  size_t begin = 0;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t end = (block + 1) * values.size() / blocks;
    means[block] = Mean(values.subspan(begin, end - begin));
    begin = end;
  }
  const double centre = Mean(values);
  const double half = StudentT975(static_cast<int>(blocks) - 1) * SampleDeviation(means, Mean(means)) /
                      std::sqrt(static_cast<double>(blocks));
  return {centre - half, centre + half, true};
}

double StudentT975(int degrees_of_freedom) {
  constexpr std::array<double, 30> kTable = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                             2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                             2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  if (degrees_of_freedom <= static_cast<int>(kTable.size())) return kTable[static_cast<size_t>(degrees_of_freedom - 1)];
  // Cornish-Fisher expansion around the normal quantile, two terms.
  const double z = kNormal975, n = degrees_of_freedom;
  return z + (z * z * z + z) / (4 * n) + (5 * std::pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

}  // namespace fleetmark
