#pragma once

#include <optional>
#include <span>

#include "common/status.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// When sensors are read where sampling is to tell what it costs: in blocks of equal length from the start on, with it,
// without, without, with, and so on. Two neighbours are a pair, and every other pair is the other way round, so that a
// machine that slows down steadily does so in favour of neither.
struct BlockSchedule {
  double block_s = 2;

  int BlockAt(double at_s) const { return static_cast<int>(at_s / block_s); }
  static bool IsOn(int block) { return block % 4 == 0 || block % 4 == 3; }
  bool IsOnAt(double at_s) const { return IsOn(BlockAt(at_s)); }
};

// The measured part of a run, on the clock that the blocks are on.
struct MeasuredSteps {
  std::span<const double> step_s;  // one value a sample, in order: the mean of `steps_per_sample` steps
  int steps_per_sample = 1;        // 0 counts as 1
  std::optional<double> from_s;    // begin and end of the measured part
  std::optional<double> until_s;
};

// How much longer a step is with sampling than without: the mean over pairs of blocks of the logarithm of the ratio of
// their mean step times, with its 95 % interval after Student's t; no interval for fewer than 3 pairs. A mean step and
// not a median one, since sampling lengthens few steps, and those by much. What lies over the border of two blocks
// counts in neither. A failure's message says why nothing is known.
StatusOr<v1::TelemetryCost> MeasureSamplingCost(const MeasuredSteps& steps, const BlockSchedule& blocks);

}  // namespace fleetmark
