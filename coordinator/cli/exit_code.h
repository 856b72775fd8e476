#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// What the CLI exits with; scripts rely on the numbers.
enum class ExitCode {
  kDone = 0,
  kRunFailed = 1,
  kUsage = 2,
  kUnreachable = 3,
  kCoordinatorError = 5,
  kTimeout = 124,
  kInterrupted = 130,
};

// "coordinator not reachable or not authorised"; for --help.
std::string ExitCodeMeaning(ExitCode code);

// The kinds of a Status that the CLI itself makes while it waits.
inline constexpr char kInterruptedKind[] = "interrupted";
inline constexpr char kWaitTimeoutKind[] = "wait_timeout";
// Of a Status for a run without which a verb cannot do what it was asked to.
inline constexpr char kRunFailedKind[] = "run_failed";

ExitCode ExitCodeOf(const Status& status);

// Of runs that have all ended: a failed, interrupted or cancelled one counts more than one that timed out.
ExitCode ExitCodeOf(const std::vector<v1::RunInfo>& runs);

// True for the states that a run does not leave again.
bool HasEnded(const v1::RunInfo& run);

}  // namespace fleetmark
