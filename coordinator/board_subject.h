#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/references.h"
#include "coordinator/store.h"

namespace fleetmark {

// The newest version of a workload as libtorch, else another runtime, describes it. For one that only references know,
// a description made from them. NOT_FOUND with a suggestion.
StatusOr<v1::WorkloadSpec> FindWorkloadSpec(const std::vector<WorkloadRecord>& workloads,
                                            const std::vector<Reference>& references, const std::string& workload);

// The metric that was asked for, the primary one for "". NOT_FOUND with a suggestion.
StatusOr<v1::MetricSpec> FindMetric(const v1::WorkloadSpec& workload, const std::string& metric);

}  // namespace fleetmark
