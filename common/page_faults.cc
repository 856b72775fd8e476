#include "common/page_faults.h"

#include <algorithm>
#include <vector>

#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/verdict.h"

namespace fleetmark {
namespace {

// The borders of the stretches between change points, as shares of the measured part: from the first step that is no
// warm-up to the end, one more than there are stretches.
std::vector<double> BordersOf(const v1::Result& result) {
  const std::vector<double> step_s = StepTimes(result);
  std::vector<double> begins_s = {result.summary().warmup_found_s() / std::max(result.summary().steps_per_sample(), 1)};
  for (const double seconds : step_s) begins_s.push_back(begins_s.back() + seconds);
  const auto share = [&](size_t sample) {
    return begins_s.back() > 0 ? begins_s[std::min(sample, step_s.size())] / begins_s.back() : 0;
  };
  std::vector<double> borders = {share(0)};
  for (const v1::ChangePoint& change : result.steadiness().change_points()) {
    borders.push_back(share(static_cast<size_t>(change.sample())));
  }
  borders.push_back(share(step_s.size()));
  return borders;
}

// A second, in the middle of what was seen of that part: evaluation and the like have other rates, for a moment.
std::optional<double> UsualFaults(const v1::Telemetry& telemetry, double from, double until) {
  const SeriesView faults(telemetry, telemetry::kWorkerPageFaults.name, from, until);
  if (faults.empty()) return std::nullopt;
  return Summarize(faults.values()).median;
}

// `before` and `after`: faults a second on the two sides.
std::optional<FaultCost> CostAt(const v1::ChangePoint& change, std::optional<double> before,
                                std::optional<double> after, double fault_s) {
  if (!before || !after) return std::nullopt;
  if (!IsStepTime(change.before_s()) || !IsStepTime(change.after_s())) return std::nullopt;  // somebody else's nonsense
  const FaultCost cost = {*after * change.after_s() - *before * change.before_s(), fault_s};
  const double longer_s = change.after_s() - change.before_s();
  const bool is_behind = cost.more_per_step * cost.fault_s / longer_s >= verdict_limits::kFaultShare;
  return is_behind ? std::optional(cost) : std::nullopt;
}

}  // namespace

std::vector<std::optional<FaultCost>> PageFaultsBehindChanges(const v1::Result& result) {
  const auto& changes = result.steadiness().change_points();
  std::vector<std::optional<FaultCost>> costs(static_cast<size_t>(changes.size()));
  const SeriesView faults(result.telemetry(), telemetry::kWorkerPageFaults.name);
  const SeriesView kernel(result.telemetry(), telemetry::kWorkerSystem.name);
  if (costs.empty() || faults.empty() || kernel.empty() || faults.Mean() <= 0) return costs;
  const double fault_s = std::min(kernel.Mean() / 100 / faults.Mean(), verdict_limits::kMostPerFault_s);
  const std::vector<double> borders = BordersOf(result);
  std::optional<double> before = UsualFaults(result.telemetry(), borders[0], borders[1]);
  for (size_t i = 0; i < costs.size(); ++i) {
    const std::optional<double> after = UsualFaults(result.telemetry(), borders[i + 1], borders[i + 2]);
    costs[i] = CostAt(changes[static_cast<int>(i)], before, after, fault_s);
    before = after;
  }
  return costs;
}

}  // namespace fleetmark
