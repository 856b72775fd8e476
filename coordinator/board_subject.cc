#include "coordinator/board_subject.h"

#include <algorithm>
#include <set>

#include "common/suggest.h"
#include "common/vocabulary.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

// The metrics that were published; of times less is better.
v1::WorkloadSpec SpecFromReferences(const std::string& workload, const std::vector<Reference>& references) {
  v1::WorkloadSpec spec;
  std::set<std::string> seen;
  for (const Reference& reference : references) {
    if (reference.workload != workload || !seen.insert(reference.metric).second) continue;
    spec.set_name(workload);
    v1::MetricSpec* metric = spec.add_metrics();
    metric->set_name(reference.metric);
    metric->set_unit(reference.unit);
    metric->set_better(reference.metric.ends_with("_per_s") ? "more" : "less");
  }
  return spec;
}

}  // namespace

StatusOr<v1::WorkloadSpec> FindWorkloadSpec(const std::vector<WorkloadRecord>& workloads,
                                            const std::vector<Reference>& references, const std::string& workload) {
  const WorkloadRecord* best = nullptr;
  std::set<std::string> names;
  for (const Reference& reference : references) names.insert(reference.workload);
  for (const WorkloadRecord& record : workloads) {
    names.insert(record.spec.name());
    if (record.spec.name() != workload) continue;
    const auto merit = [](const WorkloadRecord& r) {
      return std::make_pair(r.spec.version(), r.runtime == kOwnRuntime);
    };
    if (best == nullptr || merit(record) > merit(*best)) best = &record;
  }
  if (best != nullptr) return best->spec;
  v1::WorkloadSpec published = SpecFromReferences(workload, references);
  if (!published.name().empty()) return published;
  return NotFound("there is no workload " + workload, SuggestFrom(workload, {names.begin(), names.end()}),
                  "unknown_workload");
}

StatusOr<v1::MetricSpec> FindMetric(const v1::WorkloadSpec& workload, const std::string& metric) {
  std::vector<std::string> names;
  for (const v1::MetricSpec& known : workload.metrics()) {
    if (metric.empty() || known.name() == metric) return known;
    names.push_back(known.name());
  }
  return NotFound("workload " + workload.name() + " has no metric " + metric, SuggestFrom(metric, names),
                  "unknown_metric");
}

}  // namespace fleetmark
