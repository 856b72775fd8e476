#include "common/slowdown.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/statistics.h"

namespace fleetmark {
namespace {

constexpr size_t kShapeBins = 50;

double SquaresAround(std::span<const double> values, double centre) {
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

// Of the straight line that fits best.
double SquaresAroundLine(std::span<const double> values) {
  const double centre = static_cast<double>(values.size() - 1) / 2, mean = Mean(values);
  double xy = 0, xx = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - centre;
    xy += x * (values[i] - mean);
    xx += x * x;
  }
  return SquaresAround(values, mean) - xy * xy / xx;
}

// Log step times in as many means; none where a value is no step time, and for fewer than ten.
std::vector<double> LogShape(std::span<const double> step_s) {
  constexpr size_t kFewest = 10;
  if (step_s.size() < kFewest || !std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return {};
  const size_t bins = std::min(step_s.size(), kShapeBins);
  std::vector<double> logs;
  for (size_t bin = 0; bin < bins; ++bin) {
    const size_t begin = bin * step_s.size() / bins, end = (bin + 1) * step_s.size() / bins;
    logs.push_back(std::log(Mean(step_s.subspan(begin, end - begin))));
  }
  return logs;
}

}  // namespace

std::optional<ClockDrop> FindClockDrop(std::span<const double> clock, std::span<const double> busy) {
  constexpr size_t kFewestPoints = 5;
  constexpr double kAsBusy = 0.8, kUsual = 0.9;
  if (clock.size() < kFewestPoints || busy.size() != clock.size()) return std::nullopt;
  std::vector<double> sorted, sorted_busy(busy.begin(), busy.end());
  std::sort(sorted_busy.begin(), sorted_busy.end());
  const double usual_busy = Quantile(sorted_busy, 0.5);
  for (size_t i = 0; i < clock.size(); ++i) {
    if (busy[i] >= kAsBusy * usual_busy) sorted.push_back(clock[i]);
  }
  std::sort(sorted.begin(), sorted.end());
  const double from = Quantile(sorted, kUsual);
  const size_t width = std::max<size_t>(clock.size() / 10, 2);
  double to = from;
  for (size_t begin = 0; begin + width <= clock.size(); ++begin) {
    if (Mean(busy.subspan(begin, width)) < kAsBusy * usual_busy) continue;
    to = std::min(to, Mean(clock.subspan(begin, width)));
  }
  if (from <= 0) return std::nullopt;
  return ClockDrop{from, to, 1 - to / from};
}

bool IsStep(std::span<const double> step_s) {
  const std::vector<double> logs = LogShape(step_s);
  const std::span<const double> all(logs);
  double least = std::numeric_limits<double>::infinity();
  for (size_t split = 1; split < logs.size(); ++split) {
    const std::span<const double> left = all.first(split), right = all.subspan(split);
    least = std::min(least, SquaresAround(left, Mean(left)) + SquaresAround(right, Mean(right)));
  }
  return !logs.empty() && least < SquaresAroundLine(all);
}

double SlowerFrom(std::span<const double> step_s, size_t first) {
  if (first == 0 || first >= step_s.size() || !std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return 0;
  std::vector<double> logs;
  logs.reserve(step_s.size());
  for (const double seconds : step_s) logs.push_back(std::log(seconds));
  const std::span<const double> all(logs);
  return std::expm1(Mean(all.subspan(first)) - Mean(all.first(first)));
}

double TrendShare(std::span<const double> step_s) {
  const std::vector<double> logs = LogShape(step_s);
  if (logs.empty()) return 0;
  const double squares = SquaresAround(logs, Mean(logs));
  return squares > 0 ? 1 - SquaresAroundLine(logs) / squares : 0;
}

}  // namespace fleetmark
