#include "coordinator/cli/render/axis.h"

#include <algorithm>
#include <cmath>

#include "coordinator/cli/render/number.h"

namespace fleetmark {
namespace {

// The least of 1, 2 and 5 times a power of ten that is not below `step`.
double RoundStep(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

std::string Axis::Text(double tick) const {
  // What rounding leaves of 0 would read "-0".
  return FormatFixed(std::fabs(tick) < (high - low) * 1e-9 ? 0 : tick, decimals);
}

Axis MakeAxis(double low, double high, int count, double least_step, bool widens) {
  if (!(high > low)) {
    const double margin = low == 0 ? 1 : std::fabs(low) * 0.05;
    low -= margin;
    high += margin;
  }
  const double step = std::max(least_step, RoundStep((high - low) / std::max(1, count)));
  Axis axis;
  axis.low = widens ? std::min(low, std::floor(low / step + 1e-9) * step) : low;
  axis.high = widens ? std::max(high, std::ceil(high / step - 1e-9) * step) : high;
  axis.decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
  const double first = std::ceil(axis.low / step - 1e-9);
  // Bounded: of huge numbers that are close together a step may be less than they can be told apart by.
  for (int i = 0; i <= 3 * count && (first + i) * step <= axis.high + step * 1e-9; ++i)
    axis.ticks.push_back((first + i) * step);
  return axis;
}

}  // namespace fleetmark
