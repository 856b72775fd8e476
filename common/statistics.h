#pragma once

#include <cmath>
#include <span>

namespace fleetmark {

// What a step can have taken: a clock that was set, or a sensor's nonsense, is not.
inline bool IsStepTime(double seconds) { return std::isfinite(seconds) && seconds > 0; }

// Of a sample that is not empty.
double Mean(std::span<const double> values);

// What is reported of a sample. All zero when n is 0; sd is 0 when n is 1. All but n are NaN when a value is.
struct Summary {
  int n = 0;
  double mean = 0;
  double median = 0;
  double sd = 0;   // of the sample (n - 1)
  double mad = 0;  // median absolute deviation from the median, not scaled
  double min = 0;
  double max = 0;
  double p5 = 0;
  double p95 = 0;
  double p99 = 0;
};

// Percentiles interpolate linearly between order statistics (type 7 of Hyndman and Fan, as numpy does).
Summary Summarize(std::span<const double> values);

// `share` in [0, 1] of a sample that is sorted and not empty.
double Quantile(std::span<const double> sorted, double share);

struct Interval {
  double low = 0;
  double high = 0;
  // False when the sample is too short for an interval; low and high are then 0.
  bool known = false;
};

// 95 % interval of the mean of a series that may be autocorrelated, as step times are: the series is cut into up to 20
// contiguous blocks of at least two values (of one where there are fewer than ten), equal in length but for one value,
// and Student's t is applied to the block means (method of batch means). Centred at the mean of all values. Not known
// for fewer than 5 values. For the stop rule `until_ci`, which asks between timed steps: it is cheap and allocates
// nothing. What a result says is MeanInterval's (common/bootstrap.h).
Interval BlockMeanInterval(std::span<const double> values);

// Upper 97.5 % point of the normal distribution.
inline constexpr double kNormal975 = 1.959963984540054;

// Upper 97.5 % point of Student's t with `degrees_of_freedom` >= 1: half the width of a 95 % interval in standard
// errors. Exact to 3 decimals up to 30, within .001 by a Cornish-Fisher expansion above.
double StudentT975(int degrees_of_freedom);

}  // namespace fleetmark
