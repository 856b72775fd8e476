#include "common/change_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/statistics.h"

namespace fleetmark {
namespace {

constexpr size_t kFewestSamples = 50;
constexpr size_t kMostBins = 1000;
constexpr size_t kShortestBins = 5, kMostSegments = 50;
constexpr double kPenalty = 3;  // of a change, times the variance of the noise and the logarithm of the number of bins
constexpr double kLeastChange = 0.03;
// Noise below a thousandth is not told from none.
constexpr double kLeastVariance = 1e-6;
constexpr double kDeviationsPerMad = 1.4826;  // of a normal distribution

// Sums of squared deviations from the mean of any stretch of a series.
class SegmentCosts {
 public:
  explicit SegmentCosts(std::span<const double> values) {
    const double mean = Mean(values);  // taken off so that the differences of sums keep their digits
    sums_.reserve(values.size() + 1);
    squares_.reserve(values.size() + 1);
    for (const double value : values) {
      sums_.push_back(sums_.back() + (value - mean));
      squares_.push_back(squares_.back() + (value - mean) * (value - mean));
    }
  }
  double Of(size_t first, size_t end) const {
    const double sum = sums_[end] - sums_[first];
    return squares_[end] - squares_[first] - sum * sum / static_cast<double>(end - first);
  }

 private:
  std::vector<double> sums_ = {0}, squares_ = {0};  // of the values before
};

double Median(std::span<double> values) {
  std::sort(values.begin(), values.end());
  return Quantile(values, 0.5);
}

// Means of the logarithms of `per_bin` neighbours each; the last bin takes in what is left.
std::vector<double> LogBins(std::span<const double> step_s, size_t per_bin) {
  std::vector<double> bins;
  const size_t count = step_s.size() / per_bin;
  for (size_t bin = 0; bin < count; ++bin) {
    const size_t first = bin * per_bin, end = bin + 1 == count ? step_s.size() : first + per_bin;
    double sum = 0;
    for (size_t i = first; i < end; ++i) sum += std::log(step_s[i]);
    bins.push_back(sum / static_cast<double>(end - first));
  }
  return bins;
}

std::vector<double> Differences(std::span<const double> values) {
  std::vector<double> differences;
  for (size_t i = 1; i < values.size(); ++i) differences.push_back(values[i] - values[i - 1]);
  return differences;
}

// The standard deviation of most of `values`, whatever the others are.
double RobustDeviation(std::span<const double> values) {
  const Summary summary = Summarize(values);
  return kDeviationsPerMad * summary.mad;
}

void ReplaceLoneOddOnes(std::vector<double>* values) {
  constexpr size_t kReach = 2;
  constexpr double kFurthest = 4;
  const std::vector<double> before = *values;
  const double deviation = RobustDeviation(Differences(before)) / std::sqrt(2.0);
  for (size_t i = kReach; i + kReach < before.size(); ++i) {
    std::array<double, 2 * kReach + 1> around;
    std::copy_n(before.begin() + static_cast<ptrdiff_t>(i - kReach), around.size(), around.begin());
    const double median = Median(around);
    if (std::abs(before[i] - median) > kFurthest * deviation) (*values)[i] = median;
  }
}

// Of x(t) = a x(t-1) + noise the differences have the lag-one autocorrelation (a - 1) / 2 and the variance
// 2 / (1 + a) of the noise's; the mean of x wanders with the variance 1 / (1 - a)^2 of it. Of few values `a` is known
// badly, and is taken from the upper end of what it may be.
double LongRunVariance(std::span<const double> values) {
  constexpr double kClip = 3, kMostDependent = 0.95;
  std::vector<double> differences = Differences(values);
  const double bound = kClip * RobustDeviation(differences);
  double squares = 0, products = 0, last = 0;
  for (const double difference : differences) {
    const double clipped = std::clamp(difference, -bound, bound);
    squares += clipped * clipped;
    products += clipped * last;
    last = clipped;
  }
  if (squares == 0) return kLeastVariance;
  const auto count = static_cast<double>(differences.size());
  const double estimate = std::max(1 + 2 * products / squares, 0.0);
  const double a = std::min(estimate + 2 / std::sqrt(count), kMostDependent);
  const double variance = squares / count * (1 + a) / (2 * (1 - a) * (1 - a));
  return std::max(variance, kLeastVariance);
}

// Means of the logarithms of the segments that `starts` begin, the first of which is 0.
std::vector<double> LogMeans(std::span<const double> bins, std::span<const size_t> starts) {
  std::vector<double> means;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : bins.size();
    means.push_back(Mean(bins.subspan(starts[i], end - starts[i])));
  }
  return means;
}

// Joins the two neighbours that are least apart until all are far enough apart.
void JoinAlike(std::span<const double> bins, std::vector<size_t>* starts) {
  while (starts->size() > 1) {
    const std::vector<double> changes = Differences(LogMeans(bins, *starts));
    const auto least =
        std::min_element(changes.begin(), changes.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (std::abs(*least) >= std::log1p(kLeastChange)) return;
    starts->erase(starts->begin() + 1 + (least - changes.begin()));
  }
}

}  // namespace

std::vector<size_t> Pelt(std::span<const double> values, double penalty, size_t shortest) {
  const size_t n = values.size();
  if (n < shortest) return {};
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const SegmentCosts costs(values);
  // For each end the least cost of what is before, and where the last segment of that begins.
  std::vector<double> least(n + 1, kNone);
  std::vector<size_t> last_start(n + 1, 0), useless_from(n + 1, SIZE_MAX);
  least[0] = -penalty;
  std::vector<size_t> candidates = {0};
  for (size_t end = shortest; end <= n; ++end) {
    if (end >= 2 * shortest) candidates.push_back(end - shortest);
    std::erase_if(candidates, [&](size_t start) { return useless_from[start] <= end; });
    for (const size_t start : candidates) {
      const double cost = least[start] + costs.Of(start, end) + penalty;
      if (cost >= least[end]) continue;
      least[end] = cost;
      last_start[end] = start;
    }
    // Whoever costs more up to here without a change than with one here will do so for ever, once a segment that
    // begins here is long enough.
    for (const size_t start : candidates) {
      if (least[start] + costs.Of(start, end) > least[end]) {
        useless_from[start] = std::min(useless_from[start], end + shortest);
      }
    }
  }
  std::vector<size_t> starts;
  for (size_t start = last_start[n]; start > 0; start = last_start[start]) starts.push_back(start);
  std::reverse(starts.begin(), starts.end());
  return starts;
}

std::vector<ChangePoint> FindChangePoints(std::span<const double> step_s) {
  if (step_s.size() < kFewestSamples || !std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return {};
  const size_t per_bin = (step_s.size() + kMostBins - 1) / kMostBins;
  std::vector<double> bins = LogBins(step_s, per_bin);
  ReplaceLoneOddOnes(&bins);
  const double penalty = kPenalty * std::log(static_cast<double>(bins.size())) * LongRunVariance(bins);
  std::vector<size_t> starts = Pelt(bins, penalty, std::max(kShortestBins, bins.size() / kMostSegments));
  starts.insert(starts.begin(), 0);
  JoinAlike(bins, &starts);
  const std::vector<double> means = LogMeans(bins, starts);
  std::vector<ChangePoint> points;
  for (size_t i = 1; i < starts.size(); ++i) {
    const size_t sample = starts[i] * per_bin;
    const double at_s = Mean(step_s.first(sample)) * static_cast<double>(sample);
    points.push_back({sample, at_s, std::exp(means[i - 1]), std::exp(means[i])});
  }
  return points;
}

}  // namespace fleetmark
