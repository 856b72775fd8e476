#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "common/change_points.h"

namespace fleetmark {

// How the speed went over the steady part of a run: Steadiness of run.proto.
// All absent or empty where a sample is no step time: zero, negative or not finite.
struct Steadiness {
  // Best contiguous tenth; absent where there are fewer than ten samples.
  std::optional<double> burst_it_per_s;
  std::optional<double> sustained_it_per_s;  // the whole
  std::vector<ChangePoint> change_points;
  // By the least-squares line through log step times how much longer a step is at the end than at the beginning, as a
  // share: 0.1 is a tenth longer. Absent where there are fewer than ten samples.
  std::optional<double> drift;
};

// `step_s`: seconds a step, each the mean of consecutive ones, of `steps_per_sample` > 0 on average. 100,000 take some
// milliseconds.
Steadiness DescribeSteadiness(std::span<const double> step_s, double steps_per_sample);

}  // namespace fleetmark
