#include "agent/worker/workload.h"

namespace fleetmark {

#define FLEETMARK_WORKLOAD(name) \
  namespace name {               \
  WorkloadDefinition Define();   \
  }
#include "agent/worker/workloads.def"
#undef FLEETMARK_WORKLOAD

namespace {

std::vector<WorkloadDefinition> MakeAllWorkloads() {
  std::vector<WorkloadDefinition> workloads;
#define FLEETMARK_WORKLOAD(name) workloads.push_back(name::Define());
#include "agent/worker/workloads.def"
#undef FLEETMARK_WORKLOAD
  for (WorkloadDefinition& workload : workloads) {
    for (const char* metric : {"step_s", "first_call_s", "load1", "cpu_percent", "rss_peak_bytes", "gpu_util_percent",
                               "gpu_memory_bytes", "energy_j"}) {
      if (workload.metrics.front() != metric) workload.metrics.push_back(metric);
    }
  }
  return workloads;
}

}  // namespace

const std::vector<WorkloadDefinition>& AllWorkloads() {
  static const std::vector<WorkloadDefinition> workloads = MakeAllWorkloads();
  return workloads;
}

}  // namespace fleetmark
