#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/cli/progress_display.h"
#include "coordinator/cli/verb.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

struct WatchRequest {
  std::vector<std::string> ids;  // of jobs or runs
  double timeout_s = 0;          // 0: wait for ever
  // True when the coordinator is known to be there, so that losing it is worth waiting even before the first update.
  bool is_connected = false;
  // When it is set by then the watch counts as interrupted at once: a Ctrl-C between two watches is not lost.
  const std::atomic<bool>* interrupted = nullptr;
};

// Follows runs until all have ended and returns them as they ended, in the order the coordinator names them. Runs
// survive a restart of the coordinator, so a lost connection is tried again for a minute, said on `err`.
//
// When interrupted or out of time it fails with kInterruptedKind or kWaitTimeoutKind; the runs go on, and the message
// says how to follow or stop them.
StatusOr<std::vector<v1::RunInfo>> WatchRuns(Session& session, const WatchRequest& request, ProgressMode mode);

}  // namespace fleetmark
