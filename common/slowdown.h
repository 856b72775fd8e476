#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace fleetmark {

// How far a clock fell while its device stayed busy.
struct ClockDrop {
  double from = 0;   // 90th percentile of the clock, of the points with the device as busy as in the middle
  double to = 0;     // lowest mean over a tenth of the points, of those with the device as busy
  double share = 0;  // 1 - to / from
};
// Absent for fewer than five points, or where it is not known how busy the device was. As many of `busy` as of `clock`.
std::optional<ClockDrop> FindClockDrop(std::span<const double> clock, std::span<const double> busy);

// Whether log step times went up or down at one place rather than little by little: two constants fit them better than
// a straight line. False where a value is not positive and for fewer than ten.
bool IsStep(std::span<const double> step_s);

// How much longer steps took from step `first` on, to the end, than before it, as a share: of the geometric means,
// which a few odd ones hardly move. 0 where there is nothing on one side, or a value is not positive.
double SlowerFrom(std::span<const double> step_s, size_t first);

// The share of the variance of log step times, averaged over fiftieths of the run, that a straight line explains: near
// 1 for a drift, near 0 for noise. 0 where IsStep is false for want of good values.
double TrendShare(std::span<const double> step_s);

}  // namespace fleetmark
