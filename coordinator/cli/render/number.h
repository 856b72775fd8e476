#pragma once

#include <optional>
#include <string>

#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// A number with the digits that mean something: four significant ones, whole from 1000 on ("0.01234", "71.20", "2718").
std::string FormatNumber(double value);

// With so many digits behind the point.
std::string FormatFixed(double value, int decimals);

// A value and its 95 % interval, both with as many digits as the interval's half width has two significant ones of.
struct ValueText {
  std::string value;     // "71.20"
  std::string interval;  // "± 0.41", "[70.1, 73.9]" where it is not symmetric, "± 0" of no width; "" when there is none
  // "71.20 ± 0.41"
  std::string Joined() const { return interval.empty() ? value : value + " " + interval; }
};
ValueText FormatValue(double value, std::optional<double> ci_low, std::optional<double> ci_high);

// The same of a metric.
ValueText FormatMetric(const v1::Metric& metric);

// "1.21 GB" by powers of 1000.
std::string FormatBytes(double bytes);

// A duration that is measured, with the unit that suits it: "27.1 ms", "3.402 s".
std::string FormatSeconds(double seconds);

// The number that a result is about, with its unit: "71.20 ± 0.41 it/s"; "" where there is no result.
std::string FormatPrimary(const v1::Result& result);

// "95.2 %" for 0.952.
std::string FormatShare(double share, int decimals = 1);

// "+1.3 %".
std::string FormatChange(double share);

}  // namespace fleetmark
