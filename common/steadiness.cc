#include "common/steadiness.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/statistics.h"

namespace fleetmark {
namespace {

constexpr size_t kTenths = 10;

// Steps a second of the fastest tenth that is contiguous.
double Burst(std::span<const double> step_s) {
  const size_t length = step_s.size() / kTenths;
  double sum = std::accumulate(step_s.begin(), step_s.begin() + static_cast<ptrdiff_t>(length), 0.0);
  double least = sum;
  for (size_t end = length; end < step_s.size(); ++end) {
    sum += step_s[end] - step_s[end - length];
    least = std::min(least, sum);
  }
  return static_cast<double>(length) / least;
}

double Drift(std::span<const double> step_s) {
  const auto count = static_cast<double>(step_s.size());
  const double middle = (count - 1) / 2;
  double products = 0, squares = 0, position = -middle;
  for (const double seconds : step_s) {
    products += position * std::log(seconds);
    squares += position * position;
    ++position;
  }
  return std::exp(products / squares * count) - 1;
}

}  // namespace

Steadiness DescribeSteadiness(std::span<const double> step_s, double steps_per_sample) {
  Steadiness steadiness;
  if (step_s.empty() || !std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return steadiness;
  steadiness.sustained_it_per_s = 1 / Mean(step_s);
  steadiness.change_points = FindChangePoints(step_s);
  for (ChangePoint& point : steadiness.change_points) point.at_s *= steps_per_sample;
  if (step_s.size() < kTenths) return steadiness;
  steadiness.burst_it_per_s = Burst(step_s);
  steadiness.drift = Drift(step_s);
  return steadiness;
}

}  // namespace fleetmark
