#include "coordinator/rpc/run_filter.h"

#include "common/vocabulary.h"

namespace fleetmark {

Status CheckResultWords(const std::string& verdict, const std::string& profile) {
  if (!verdict.empty()) FLEETMARK_RETURN_IF_ERROR(CheckWord("verdict", verdict, kVerdicts));
  return profile.empty() ? OkStatus() : CheckWord("profile", profile, kProfiles);
}

StatusOr<v1::RunFilter> CheckFilter(Coordinator& coordinator, const v1::RunFilter& filter) {
  if (!filter.state().empty()) FLEETMARK_RETURN_IF_ERROR(CheckWord("state", filter.state(), kRunStates));
  FLEETMARK_RETURN_IF_ERROR(CheckResultWords(filter.verdict(), filter.profile()));
  v1::RunFilter checked = filter;
  if (!filter.job_id().empty()) {
    FLEETMARK_ASSIGN_OR_RETURN(*checked.mutable_job_id(), coordinator.reader().ResolveJob(filter.job_id()));
  }
  return checked;
}

}  // namespace fleetmark
