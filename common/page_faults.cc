#include "common/page_faults.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/verdict.h"

namespace fleetmark {
namespace {

// By share of the measured part, from the first step of the warm-up that was found to the last step.
class Timeline {
 public:
  explicit Timeline(const v1::Result& result)
      : step_s_(StepTimes(result)),
        warmup_s_(result.summary().warmup_found_s() / std::max(result.summary().steps_per_sample(), 1)),
        end_s_(AtSecond(step_s_.size())) {}
  // Of the beginning of that sample.
  double At(size_t sample) const { return end_s_ > 0 ? AtSecond(std::min(sample, step_s_.size())) / end_s_ : 0; }
  size_t size() const { return step_s_.size(); }

 private:
  double AtSecond(size_t sample) const {
    return std::accumulate(step_s_.begin(), step_s_.begin() + static_cast<ptrdiff_t>(sample), warmup_s_);
  }

  const std::vector<double> step_s_;
  const double warmup_s_, end_s_;
};

// A second, in the middle of what was seen of that part: evaluation and the like have other rates, for a moment.
std::optional<double> UsualFaults(const v1::Telemetry& telemetry, double from, double until) {
  const SeriesView faults(telemetry, telemetry::kWorkerPageFaults.name, from, until);
  if (faults.empty()) return std::nullopt;
  return Summarize(faults.values()).median;
}

}  // namespace

std::optional<FaultCost> PageFaultsBehind(const v1::Result& result, int change) {
  const auto& changes = result.steadiness().change_points();
  const Timeline timeline(result);
  const auto place = [&](int index) {
    if (index < 0) return timeline.At(0);
    return timeline.At(index < changes.size() ? static_cast<size_t>(changes[index].sample()) : timeline.size());
  };
  const auto before = UsualFaults(result.telemetry(), place(change - 1), place(change));
  const auto after = UsualFaults(result.telemetry(), place(change), place(change + 1));
  const SeriesView faults(result.telemetry(), telemetry::kWorkerPageFaults.name);
  const SeriesView kernel(result.telemetry(), telemetry::kWorkerSystem.name);
  if (!before || !after || kernel.empty() || faults.Mean() <= 0) return std::nullopt;
  const v1::ChangePoint& step = changes[change];
  if (!IsStepTime(step.before_s()) || !IsStepTime(step.after_s())) return std::nullopt;  // somebody else's nonsense
  const FaultCost cost = {*after * step.after_s() - *before * step.before_s(),
                          std::min(kernel.Mean() / 100 / faults.Mean(), verdict_limits::kMostPerFault_s)};
  const double longer_s = step.after_s() - step.before_s();
  const bool is_behind = cost.more_per_step * cost.fault_s / longer_s >= verdict_limits::kFaultShare;
  return is_behind ? std::optional(cost) : std::nullopt;
}

}  // namespace fleetmark
