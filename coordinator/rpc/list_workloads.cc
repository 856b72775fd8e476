#include "common/suggest.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListWorkloads(Coordinator& coordinator, const v1::ListWorkloadsRequest& request,
                     v1::ListWorkloadsResponse* response) {
  std::vector<v1::WorkloadOffer> offers;
  coordinator.loop().View([&](const CoordinatorCore& core, Moment) { offers = core.Workloads(); });
  std::vector<std::string> names;
  for (v1::WorkloadOffer& offer : offers) {
    names.push_back(offer.spec().name());
    if (request.name().empty() || request.name() == offer.spec().name()) response->add_workloads()->Swap(&offer);
  }
  if (!request.name().empty() && response->workloads().empty()) {
    return NotFound("no agent offers a workload " + request.name(), SuggestFrom(request.name(), names),
                    "unknown_workload");
  }
  return OkStatus();
}

}  // namespace fleetmark
