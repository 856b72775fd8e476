#include "common/warmup.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "common/statistics.h"

namespace fleetmark {
namespace {

constexpr size_t kBatch = 5;

// What does not fill the last batch is left out.
std::vector<double> BatchMeans(std::span<const double> values) {
  std::vector<double> means;
  for (size_t first = 0; first + kBatch <= values.size(); first += kBatch) {
    means.push_back(Mean(values.subspan(first, kBatch)));
  }
  return means;
}

// How many of `batches` to leave out at the beginning, at most half.
size_t BestTruncation(std::span<const double> batches) {
  const size_t half = batches.size() / 2;
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  // From the end on, with Welford's running mean and sum of squares, which lose no digits.
  double mean = 0, squares = 0;
  for (size_t first = batches.size(); first-- > 0;) {
    const auto count = static_cast<double>(batches.size() - first);
    const double deviation = batches[first] - mean;
    mean += deviation / count;
    squares += deviation * (batches[first] - mean);
    const double statistic = squares / (count * count);
    if (first > half || statistic > least) continue;
    least = statistic;
    best = first;
  }
  return best;
}

}  // namespace

Warmup FindWarmup(std::span<const double> step_s) {
  if (step_s.size() < kFewestForWarmup || !std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return {};
  const std::vector<double> batches = BatchMeans(step_s);
  const size_t truncation = BestTruncation(batches);
  if (truncation >= batches.size() / 2) return {0, false};
  const std::span<const double> means(batches);
  const bool is_slow = truncation > 0 && Mean(means.first(truncation)) > Mean(means.subspan(truncation));
  return {is_slow ? truncation * kBatch : 0, true};
}

}  // namespace fleetmark
