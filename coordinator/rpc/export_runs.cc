#include "coordinator/rpc/handlers.h"
#include "coordinator/rpc/run_filter.h"

namespace fleetmark {
namespace {
constexpr int kPage = 50;
}  // namespace

Status ExportRuns(Coordinator& coordinator, const v1::RunFilter& request, const Send<v1::RunInfo>& send) {
  FLEETMARK_ASSIGN_OR_RETURN(const v1::RunFilter filter, CheckFilter(coordinator, request));
  int left = request.limit() > 0 ? request.limit() : -1;
  return coordinator.reader().VisitRuns(filter, kPage, [&](const v1::RunInfo& run) {
    if (left == 0) return false;
    if (left > 0) --left;
    return send(run) && left != 0;
  });
}

}  // namespace fleetmark
