#include "agent/worker/workload.h"

namespace fleetmark {

#define FLEETMARK_WORKLOAD(name) \
  namespace name {               \
  WorkloadDefinition Define();   \
  }
#include "agent/worker/workloads.def"
#undef FLEETMARK_WORKLOAD

const std::vector<WorkloadDefinition>& AllWorkloads() {
#define FLEETMARK_WORKLOAD(name) name::Define(),
  static const std::vector<WorkloadDefinition> workloads = {
      // clang-format off
#include "agent/worker/workloads.def"
  };
#undef FLEETMARK_WORKLOAD
  return workloads;
}

}  // namespace fleetmark
