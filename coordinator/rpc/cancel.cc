#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status Cancel(Coordinator& coordinator, const v1::CancelRequest& request, v1::CancelResponse* response) {
  if (request.ids().empty()) return InvalidArgument("nothing to cancel was named", "give the id of a job or a run");
  CancelAsked asked;
  asked.reason = request.reason();
  for (const std::string& id : request.ids()) {
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<std::string> run_ids, coordinator.reader().ResolveRuns(id));
    asked.run_ids.insert(asked.run_ids.end(), run_ids.begin(), run_ids.end());
  }
  FLEETMARK_RETURN_IF_ERROR(coordinator.loop().Ask(asked).status);
  for (const std::string& run_id : asked.run_ids) {
    FLEETMARK_ASSIGN_OR_RETURN(*response->add_runs(), coordinator.FindRun(run_id, ResultDetail::kNone));
  }
  return OkStatus();
}

}  // namespace fleetmark
