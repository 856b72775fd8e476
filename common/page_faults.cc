#include "common/page_faults.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "common/statistics.h"
#include "common/step_places.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/verdict.h"

namespace fleetmark {
namespace {

// A second, in the middle of what was seen while those step times were taken.
std::optional<double> UsualFaults(const v1::Telemetry& telemetry, const std::vector<MeasuredPart>& parts) {
  std::vector<double> per_s;
  for (const MeasuredPart& part : parts) {
    const SeriesView faults(telemetry, telemetry::kWorkerPageFaults.name, part.from, part.until);
    per_s.insert(per_s.end(), faults.values().begin(), faults.values().end());
  }
  if (per_s.empty()) return std::nullopt;
  return Summarize(per_s).median;
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
  const StepPlaces places(result);
  const auto change_at = [&changes](int i) { return static_cast<size_t>(changes[i].sample()); };
  std::optional<double> before = UsualFaults(result.telemetry(), places.Of(0, change_at(0)));
  for (int i = 0; i < changes.size(); ++i) {
    const size_t end = i + 1 < changes.size() ? change_at(i + 1) : std::numeric_limits<size_t>::max();
    const std::optional<double> after = UsualFaults(result.telemetry(), places.Of(change_at(i), end));
    costs[static_cast<size_t>(i)] = CostAt(changes[i], before, after, fault_s);
    before = after;
  }
  return costs;
}

}  // namespace fleetmark
