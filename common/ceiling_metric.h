#pragma once

#include <optional>
#include <string_view>

#include "common/vocabulary.h"

namespace fleetmark {

// The metric that a Ceiling bounds: so many of the ceiling's unit are one of the metric's.
struct CeilingMetric {
  const char* name;
  const char* unit;
  double scale;
};

// By Ceiling.resource; absent for one that is not known.
inline std::optional<CeilingMetric> MetricOfCeiling(std::string_view resource) {
  if (resource == kMemoryResource) return CeilingMetric{"gb_per_s", "GB/s", 1e9};
  if (resource == kArithmeticResource) return CeilingMetric{"tflop_per_s", "TFLOP/s", 1e12};
  return std::nullopt;
}

}  // namespace fleetmark
