#include "agent/sampler/cost.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/statistics.h"

namespace fleetmark {
namespace {

// Between the sum of step times and the measured time. More, and nobody can tell when each step was.
constexpr double kMostUnaccounted = 0.05;
constexpr int kFewestPairs = 3;
constexpr int kMostBlocks = 1 << 20;  // 24 days

struct BlockSum {
  double seconds = 0;
  int samples = 0;
};

// How much of the clock one second of step times took: the sum of all step times against the time of the whole part.
StatusOr<double> ClockPerStepTime(const MeasuredSteps& steps, double steps_per_sample) {
  if (!steps.from_s || !steps.until_s) return FailedPrecondition("the runner did not say when its measured part was");
  double sum_s = 0;
  for (const double step_s : steps.step_s) {
    if (!std::isfinite(step_s) || step_s <= 0) return FailedPrecondition("a step time is not above 0");
    sum_s += step_s * steps_per_sample;
  }
  if (sum_s == 0) return FailedPrecondition("there are no step times");
  const double span_s = *steps.until_s - *steps.from_s;
  if (std::abs(sum_s - span_s) <= kMostUnaccounted * span_s) return span_s / sum_s;
  return FailedPrecondition("the step times add up to " + std::to_string(sum_s) + " s and the measured part took " +
                            std::to_string(span_s) + " s, so nobody can tell which step was when");
}

// Of each block, the steps that lie wholly within it.
std::vector<BlockSum> SumBlocks(const MeasuredSteps& steps, const BlockSchedule& blocks, double clock_per_sample) {
  std::vector<BlockSum> sums(static_cast<size_t>(std::min(blocks.BlockAt(*steps.until_s), kMostBlocks)) + 1);
  double at_s = *steps.from_s;
  for (const double step_s : steps.step_s) {
    const int block = blocks.BlockAt(at_s);
    at_s += step_s * clock_per_sample;
    if (blocks.BlockAt(at_s) != block || static_cast<size_t>(block) >= sums.size()) continue;
    sums[static_cast<size_t>(block)].seconds += step_s;
    sums[static_cast<size_t>(block)].samples += 1;
  }
  return sums;
}

std::vector<double> LogRatios(const std::vector<BlockSum>& sums) {
  std::vector<double> ratios;
  for (size_t first = 0; first + 1 < sums.size(); first += 2) {
    const bool is_first_on = BlockSchedule::IsOn(static_cast<int>(first));
    const BlockSum& on = sums[is_first_on ? first : first + 1];
    const BlockSum& off = sums[is_first_on ? first + 1 : first];
    if (on.samples > 0 && off.samples > 0) {
      ratios.push_back(std::log((on.seconds / on.samples) / (off.seconds / off.samples)));
    }
  }
  return ratios;
}

}  // namespace

StatusOr<v1::TelemetryCost> MeasureSamplingCost(const MeasuredSteps& steps, const BlockSchedule& blocks) {
  const double steps_per_sample = std::max(steps.steps_per_sample, 1);
  FLEETMARK_ASSIGN_OR_RETURN(const double scale, ClockPerStepTime(steps, steps_per_sample));
  const std::vector<double> ratios = LogRatios(SumBlocks(steps, blocks, scale * steps_per_sample));
  if (ratios.empty()) {
    return FailedPrecondition(
        "the measured part is too short, or its steps are too long, for two neighbouring blocks of " +
        std::to_string(static_cast<int>(blocks.block_s)) + " s");
  }
  const Summary summary = Summarize(ratios);
  v1::TelemetryCost cost;
  cost.set_blocks(summary.n);
  cost.set_share(std::expm1(summary.mean));
  if (summary.n >= kFewestPairs) {
    const double half = StudentT975(summary.n - 1) * summary.sd / std::sqrt(summary.n);
    cost.set_ci_low(std::expm1(summary.mean - half));
    cost.set_ci_high(std::expm1(summary.mean + half));
  }
  return cost;
}

}  // namespace fleetmark
