#pragma once

#include "common/status.h"
#include "coordinator/cli/verb.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// Submits a job under a new request_id. An answer that was lost is asked for once more with the same id, which cannot
// make a second job.
StatusOr<v1::SubmitResponse> SubmitJob(Session& session, v1::SubmitRequest request);

}  // namespace fleetmark
