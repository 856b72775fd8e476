#pragma once

#include <optional>
#include <string>

// Comparisons of two measured or published values, of any metric in which more, or less, is better.
namespace fleetmark {

// A value with its 95 % interval, where it has one.
struct Estimate {
  double value = 0;
  std::optional<double> ci_low;
  std::optional<double> ci_high;
};

struct SpeedRatio {
  double times = 0;  // how many times as fast the one is as the other: above 1 it is faster
  std::optional<double> ci_low;
  std::optional<double> ci_high;
};

// How many times as fast `one` is as `other`. The interval comes from both 95 % intervals, taken to be independent: on
// the log scale, where a ratio is a difference, the distances to their ends add up as squares. Nothing without two
// positive, finite values; no interval without two intervals above 0.
std::optional<SpeedRatio> CompareSpeed(const Estimate& one, const Estimate& other, bool is_less_better);

// The same as the share of the other's time that is saved: 0.75 for four times as fast, negative below 1.
double TimeSaved(double times);

// "98.99 %". Rounded down, so that what was saved never reads as more than it was, and 99.996 % not as 100 %.
std::string FormatTimeSaved(double times);

// "159.4x"
std::string FormatTimes(double times);

// Whether what an article says, "159x" (times as fast) or "85 %" (less time), is what two rows give: within one unit of
// the last digit that it has. Nothing where it says neither.
std::optional<bool> AgreesWithClaim(const std::string& claim, double times);

}  // namespace fleetmark
