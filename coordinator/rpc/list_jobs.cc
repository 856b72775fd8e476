#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status ListJobs(Coordinator& coordinator, const v1::ListJobsRequest& request, v1::ListJobsResponse* response) {
  const int limit = request.limit() > 0 ? request.limit() : kDefaultListLimit;
  FLEETMARK_ASSIGN_OR_RETURN(std::vector<v1::JobInfo> jobs,
                             coordinator.reader().ListJobs(limit, request.active_only()));
  for (v1::JobInfo& job : jobs) response->add_jobs()->Swap(&job);
  return OkStatus();
}

}  // namespace fleetmark
