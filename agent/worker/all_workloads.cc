#include "agent/worker/workload.h"

namespace fleetmark {

#define FLEETMARK_WORKLOAD(name) \
  namespace name {               \
  WorkloadDefinition Define();   \
  }
#include "agent/worker/workloads.def"
#undef FLEETMARK_WORKLOAD

// clang-format off: it takes the list for a block
const std::vector<WorkloadDefinition>& AllWorkloads() {
#define FLEETMARK_WORKLOAD(name) name::Define(),
  static const std::vector<WorkloadDefinition> workloads = {
#include "agent/worker/workloads.def"
  };
#undef FLEETMARK_WORKLOAD
  return workloads;
}
// clang-format on

}  // namespace fleetmark
