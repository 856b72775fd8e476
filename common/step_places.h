#pragma once

#include <cstddef>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// A part of the measured time, in shares of it.
struct MeasuredPart {
  double from = 0;
  double until = 1;
};

// When each step was, as far as a result tells: it has how long steps took, not when they began. What the measured part
// took beyond its steps lies at the ends of the epochs that ended within it, as much at each (evaluation). Without
// epochs, or where that is less than telemetry's interval, it lies evenly between all steps.
class StepPlaces {
 public:
  explicit StepPlaces(const v1::Result& result);

  // While the values [first, last) of the samples "step_s" were taken, evaluations left out: a part for each epoch that
  // they lie in. Any numbers do; empty where there are no such steps, or they took no time.
  std::vector<MeasuredPart> Of(size_t first, size_t last) const;

 private:
  std::vector<double> begins_s_;      // of each value, and the end of the last: on a clock that steps alone move
  std::vector<double> epoch_ends_s_;  // on the same clock
  double evaluation_s_ = 0;           // at each of them
  double length_s_ = 0;               // of the measured part
};

}  // namespace fleetmark
