#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListReferences(Coordinator& coordinator, const v1::ListReferencesRequest& request,
                      v1::ListReferencesResponse* response) {
  for (const Reference& reference : coordinator.references()) {
    if (!request.workload().empty() && reference.workload != request.workload()) continue;
    *response->add_references() = ToProto(reference);
  }
  return OkStatus();
}

}  // namespace fleetmark
