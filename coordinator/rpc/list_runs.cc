#include "coordinator/rpc/handlers.h"
#include "coordinator/rpc/run_filter.h"

namespace fleetmark {

Status ListRuns(Coordinator& coordinator, const v1::RunFilter& request, v1::ListRunsResponse* response) {
  FLEETMARK_ASSIGN_OR_RETURN(const v1::RunFilter filter, CheckFilter(coordinator, request));
  const int limit = request.limit() > 0 ? request.limit() : kDefaultListLimit;
  FLEETMARK_ASSIGN_OR_RETURN(std::vector<v1::RunInfo> runs,
                             coordinator.reader().ListRuns(filter, limit, ResultDetail::kBrief));
  FLEETMARK_RETURN_IF_ERROR(coordinator.Complete(&runs, ResultDetail::kBrief));
  for (v1::RunInfo& run : runs) response->add_runs()->Swap(&run);
  return OkStatus();
}

}  // namespace fleetmark
