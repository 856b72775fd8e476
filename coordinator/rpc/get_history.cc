#include "common/run_spec.h"
#include "coordinator/board_subject.h"
#include "coordinator/leaderboard.h"
#include "coordinator/rpc/handlers.h"
#include "coordinator/rpc/run_filter.h"

namespace fleetmark {

Status GetHistory(Coordinator& coordinator, const v1::HistoryRequest& request, v1::History* response) {
  FLEETMARK_RETURN_IF_ERROR(CheckResultWords(request.verdict(), request.profile()));
  FLEETMARK_ASSIGN_OR_RETURN(const std::vector<WorkloadRecord> workloads, coordinator.reader().ListWorkloads());
  FLEETMARK_ASSIGN_OR_RETURN(const v1::WorkloadSpec workload,
                             FindWorkloadSpec(workloads, coordinator.references(), request.workload()));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::MetricSpec metric, FindMetric(workload, request.metric()));
  FLEETMARK_ASSIGN_OR_RETURN(const auto parameters, CheckBoardParameters(workload, {request.parameters().begin(),
                                                                                    request.parameters().end()}));
  BoardQuery query;
  query.workload = workload.name();
  query.workload_version = workload.version();
  query.board = BoardKey(workload, parameters);
  query.metric = metric.name();
  query.agent = request.agent();
  query.device = request.device();
  query.runtime = request.runtime();
  query.profile = request.profile();
  query.verdict = request.verdict();
  query.since_unix_s = request.since_unix_s();
  query.until_unix_s = request.until_unix_s();
  FLEETMARK_ASSIGN_OR_RETURN(const std::vector<BoardValue> values, coordinator.reader().BoardValues(query));
  *response = BuildHistory(workload, metric, parameters, values);
  return OkStatus();
}

}  // namespace fleetmark
