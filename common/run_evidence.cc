#include "common/run_evidence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/steadiness.h"

namespace fleetmark {

const v1::Metric* FindMetric(const v1::Result& result, std::string_view name) {
  for (const v1::Metric& metric : result.metrics()) {
    if (metric.name() == name) return &metric;
  }
  return nullptr;
}

std::vector<double> StepTimes(const v1::Result& result) {
  std::vector<double> step_s;
  for (const v1::Samples& chunk : result.samples()) {
    if (chunk.name() != "step_s" || static_cast<size_t>(chunk.first()) != step_s.size()) continue;
    step_s.insert(step_s.end(), chunk.values().begin(), chunk.values().end());
  }
  return step_s;
}

double StepsPerSample(const v1::Result& result, std::span<const double> step_s) {
  const double average = result.summary().measured_s() / std::accumulate(step_s.begin(), step_s.end(), 0.0);
  return std::isfinite(average) && average > 0 ? average : std::max(1, result.summary().steps_per_sample());
}

v1::Steadiness SteadinessOf(const v1::Result& result) {
  v1::Steadiness described;
  const std::vector<double> step_s = StepTimes(result);
  if (step_s.empty()) return described;
  const Steadiness steadiness = DescribeSteadiness(step_s, StepsPerSample(result, step_s));
  if (steadiness.burst_it_per_s) described.set_burst_it_per_s(*steadiness.burst_it_per_s);
  if (steadiness.sustained_it_per_s) described.set_sustained_it_per_s(*steadiness.sustained_it_per_s);
  if (steadiness.drift) described.set_drift(*steadiness.drift);
  for (const ChangePoint& change : steadiness.change_points) {
    v1::ChangePoint* point = described.add_change_points();
    point->set_sample(static_cast<int>(change.sample));
    point->set_at_s(change.at_s);
    point->set_before_s(change.before_s);
    point->set_after_s(change.after_s);
  }
  return described;
}

}  // namespace fleetmark
