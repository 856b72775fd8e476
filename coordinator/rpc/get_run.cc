#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status GetRun(Coordinator& coordinator, const v1::GetRunRequest& request, v1::RunInfo* response) {
  FLEETMARK_ASSIGN_OR_RETURN(const std::string run_id, coordinator.reader().ResolveRun(request.run_id()));
  FLEETMARK_ASSIGN_OR_RETURN(*response, coordinator.FindRun(run_id, ResultDetail::kComplete));
  return OkStatus();
}

}  // namespace fleetmark
