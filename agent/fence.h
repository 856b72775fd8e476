#pragma once

#include "agent/attempt.h"
#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"

namespace fleetmark::agent {

// Whether a call with `fence` may act on an agent that accepted `highest` before. Equal is fine: a Sync carries the seq
// of the last mutating call, and may overtake it. Refusals are FAILED_PRECONDITION with kind "stale_fence",
// "other_coordinator" or "other_cluster".
Status CheckFence(const FenceRecord& highest, const v1::Fence& fence);

// True when accepting `fence` changes what must be remembered.
bool IsHigher(const FenceRecord& highest, const v1::Fence& fence);

FenceRecord ToRecord(const v1::Fence& fence);

}  // namespace fleetmark::agent
