#include "coordinator/cli/exit_code.h"

namespace fleetmark {

std::string ExitCodeMeaning(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kRunFailed:
      return "a run failed or was cancelled";
    case ExitCode::kUsage:
      return "wrong usage, or there is no such thing";
    case ExitCode::kUnreachable:
      return "coordinator not reachable or not authorised";
    case ExitCode::kCoordinatorError:
      return "the coordinator's own error";
    case ExitCode::kTimeout:
      return "a run or the wait for it timed out";
    case ExitCode::kInterrupted:
      return "interrupted by Ctrl-C";
  }
  return "";
}

ExitCode ExitCodeOf(const Status& status) {
  if (status.kind() == kInterruptedKind) return ExitCode::kInterrupted;
  if (status.kind() == kWaitTimeoutKind) return ExitCode::kTimeout;
  if (status.kind() == kRunFailedKind) return ExitCode::kRunFailed;
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kDone;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kUnauthenticated:
    case StatusCode::kPermissionDenied:
      return ExitCode::kUnreachable;
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
    case StatusCode::kResourceExhausted:
    case StatusCode::kAborted:
    case StatusCode::kUnimplemented:
    case StatusCode::kInternal:
    case StatusCode::kDataLoss:
      return ExitCode::kCoordinatorError;
  }
  return ExitCode::kCoordinatorError;
}

ExitCode ExitCodeOf(const std::vector<v1::RunInfo>& runs) {
  bool timed_out = false;
  for (const v1::RunInfo& run : runs) {
    if (run.state() == "timed_out") {
      timed_out = true;
    } else if (run.state() != "succeeded") {
      return ExitCode::kRunFailed;
    }
  }
  return timed_out ? ExitCode::kTimeout : ExitCode::kDone;
}

bool HasEnded(const v1::RunInfo& run) { return run.state() != "queued" && run.state() != "running"; }

}  // namespace fleetmark
