#include "coordinator/rpc/run_filter.h"

#include <algorithm>

#include "common/suggest.h"

namespace fleetmark {
namespace {

Status CheckWord(const std::string& what, const std::string& word, const std::vector<std::string>& known) {
  if (word.empty() || std::find(known.begin(), known.end(), word) != known.end()) return OkStatus();
  return InvalidArgument("there is no " + what + " \"" + word + "\"", SuggestFrom(word, known));
}

}  // namespace

StatusOr<v1::RunFilter> CheckFilter(Coordinator& coordinator, const v1::RunFilter& filter) {
  FLEETMARK_RETURN_IF_ERROR(CheckWord(
      "state", filter.state(), {"queued", "running", "succeeded", "failed", "cancelled", "timed_out", "interrupted"}));
  FLEETMARK_RETURN_IF_ERROR(
      CheckWord("verdict", filter.verdict(), {"UNCHECKED", "OK", "NOISY", "THROTTLED", "INTERFERED", "IMPLAUSIBLE"}));
  v1::RunFilter checked = filter;
  if (!filter.job_id().empty()) {
    FLEETMARK_ASSIGN_OR_RETURN(*checked.mutable_job_id(), coordinator.reader().ResolveJob(filter.job_id()));
  }
  return checked;
}

}  // namespace fleetmark
