#include "common/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace fleetmark {
namespace {

constexpr size_t kReplicates = 1000;
constexpr size_t kMostDrawnBlocks = 128;
constexpr uint64_t kSeed = 0x666c6565746d6172;  // any
constexpr double kLowerShare = 0.025, kUpperShare = 0.975;

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). The standard's distributions differ from library to library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // From 0 to `bound` - 1, as good as uniform: `bound` is far below 2^32.
  size_t Below(size_t bound) {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t bits = (state_ ^ (state_ >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    bits ^= bits >> 31;
    return ((bits >> 32) * bound) >> 32;
  }

 private:
  uint64_t state_;
};

// Autocovariances of values around their mean, each computed when it is asked for.
class Autocovariances {
 public:
  explicit Autocovariances(std::span<const double> centred) : centred_(centred) {}
  double At(size_t lag) {
    while (known_.size() <= lag) {
      const size_t next = known_.size();
      const double sum = std::transform_reduce(centred_.begin(), centred_.end() - static_cast<ptrdiff_t>(next),
                                               centred_.begin() + static_cast<ptrdiff_t>(next), 0.0);
      known_.push_back(sum / static_cast<double>(centred_.size()));
    }
    return known_[lag];
  }

 private:
  const std::span<const double> centred_;
  std::vector<double> known_;
};

// V and G of the header.
struct Dependence {
  double variance = 0;
  double by_lag = 0;
};

// The lag behind which several autocorrelations in a row are no more than noise.
size_t LastLag(Autocovariances* covariances, size_t n, size_t most_lags) {
  constexpr size_t kInsignificant = 5;  // max(5, sqrt(log10 n)), for every n that there is
  const double count = static_cast<double>(n);
  const double threshold = 2 * std::sqrt(std::log10(count) / count) * covariances->At(0);
  size_t last = 0;
  for (size_t lag = 1; lag <= most_lags && lag <= last + kInsignificant; ++lag) {
    if (std::abs(covariances->At(lag)) >= threshold) last = lag;
  }
  return last;
}

Dependence EstimateDependence(std::span<const double> centred) {
  const size_t n = centred.size();
  const size_t most_lags = std::min(static_cast<size_t>(std::ceil(std::sqrt(static_cast<double>(n)))) + 5, n - 1);
  Autocovariances covariances(centred);
  const size_t window = std::min(2 * LastLag(&covariances, n, most_lags), most_lags);
  Dependence dependence = {covariances.At(0), 0};
  for (size_t lag = 1; lag <= window; ++lag) {
    const double share = static_cast<double>(lag) / static_cast<double>(window);
    const double both_sides = 2 * std::min(1.0, 2 * (1 - share)) * covariances.At(lag);
    dependence.variance += both_sides;
    dependence.by_lag += both_sides * static_cast<double>(lag);
  }
  return dependence;
}

size_t BlockLength(const Dependence& dependence, size_t n) {
  const auto count = static_cast<double>(n);
  const double ratio = dependence.by_lag / dependence.variance;
  const double best = std::cbrt(1.5 * ratio * ratio * count);
  const double longest = std::floor(std::min(3 * std::sqrt(count), count / 3));
  const double shortest = std::ceil(count / kMostDrawnBlocks);
  if (!(best < longest)) return static_cast<size_t>(longest);  // infinite and NaN, too
  return static_cast<size_t>(std::max(std::ceil(best), shortest));
}

std::vector<double> Centred(std::span<const double> values) {
  const double mean = Mean(values);
  std::vector<double> centred;
  centred.reserve(values.size());
  for (const double value : values) centred.push_back(value - mean);
  return centred;
}

// Sums of all blocks of `length` values that there are.
std::vector<double> BlockSums(std::span<const double> values, size_t length) {
  std::vector<double> sums_before = {0};
  sums_before.reserve(values.size() + 1);
  for (const double value : values) sums_before.push_back(sums_before.back() + value);
  std::vector<double> sums;
  sums.reserve(values.size());
  for (size_t end = length; end < sums_before.size(); ++end)
    sums.push_back(sums_before[end] - sums_before[end - length]);
  return sums;
}

// Means of `blocks` random blocks each, ascending.
std::array<double, kReplicates> ReplicateMeans(std::span<const double> block_sums, size_t blocks, size_t length) {
  std::array<double, kReplicates> means;
  Random random(kSeed);
  for (double& mean : means) {
    double sum = 0;
    for (size_t block = 0; block < blocks; ++block) sum += block_sums[random.Below(block_sums.size())];
    mean = sum / static_cast<double>(blocks * length);
  }
  std::sort(means.begin(), means.end());
  return means;
}

double MeanSquare(std::span<const double> values, double around) {
  double sum = 0;
  for (const double value : values) sum += (value - around) * (value - around);
  return sum / static_cast<double>(values.size());
}

// How much wider than its percentiles the interval has to be.
double Widening(const Dependence& dependence, double block_variance, size_t n, size_t length) {
  const size_t blocks = n / length;
  const double ends = std::max(0.0, dependence.by_lag) / (static_cast<double>(length) * block_variance);
  // The replicates have as many values as fit, a few fewer than n.
  const double variance = static_cast<double>(blocks * length) / static_cast<double>(n - length) * (1 + ends);
  return std::sqrt(variance) * StudentT975(static_cast<int>(blocks) - 1) / kNormal975;
}

}  // namespace

size_t BlockLength(std::span<const double> values) {
  return BlockLength(EstimateDependence(Centred(values)), values.size());
}

Interval MeanInterval(std::span<const double> values) {
  const size_t n = values.size();
  if (n < kFewestForInterval) return {};
  if (std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); })) {
    return std::isfinite(values.front()) ? Interval{values.front(), values.front(), true} : Interval{};
  }
  const std::vector<double> centred = Centred(values);
  const Dependence dependence = EstimateDependence(centred);
  if (!std::isfinite(dependence.variance)) return {};  // for one of the values is not
  const size_t length = BlockLength(dependence, n);
  const std::vector<double> sums = BlockSums(centred, length);
  const double mean_sum = Mean(sums), block_variance = MeanSquare(sums, mean_sum) / static_cast<double>(length);
  const auto means = ReplicateMeans(sums, n / length, length);
  const double widening = block_variance > 0 ? Widening(dependence, block_variance, n, length) : 1;
  const double mean = Mean(values), centre = mean_sum / static_cast<double>(length);
  return {mean + widening * (Quantile(means, kLowerShare) - centre),
          mean + widening * (Quantile(means, kUpperShare) - centre), true};
}

}  // namespace fleetmark
