#include "common/run_spec.h"
#include "coordinator/board_subject.h"
#include "coordinator/leaderboard.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status GetLeaderboard(Coordinator& coordinator, const v1::LeaderboardRequest& request, v1::Leaderboard* response) {
  StoreReader& reader = coordinator.reader();
  FLEETMARK_ASSIGN_OR_RETURN(const std::vector<WorkloadRecord> workloads, reader.ListWorkloads());
  LeaderboardInput input;
  FLEETMARK_ASSIGN_OR_RETURN(input.workload, FindWorkloadSpec(workloads, coordinator.references(), request.workload()));
  FLEETMARK_ASSIGN_OR_RETURN(input.metric, FindMetric(input.workload, request.metric()));
  FLEETMARK_ASSIGN_OR_RETURN(input.parameters, CheckBoardParameters(input.workload, {request.parameters().begin(),
                                                                                     request.parameters().end()}));
  BoardQuery query;
  query.workload = input.workload.name();
  query.workload_version = input.workload.version();
  query.board = BoardKey(input.workload, input.parameters);
  query.metric = input.metric.name();
  query.since_unix_s = request.since_unix_s();
  query.newest_job_only = true;
  FLEETMARK_ASSIGN_OR_RETURN(input.values, reader.BoardValues(query));
  FLEETMARK_ASSIGN_OR_RETURN(input.boards, reader.Boards(query.workload, query.workload_version));
  input.include_flagged = request.include_flagged();
  if (!request.measured_only()) input.references = coordinator.references();
  *response = BuildLeaderboard(input);
  return OkStatus();
}

}  // namespace fleetmark
