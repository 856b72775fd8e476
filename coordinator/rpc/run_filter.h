#pragma once

#include "coordinator/coordinator.h"

namespace fleetmark {

// Checks the words of a filter (states and verdicts have suggestions) and completes a shortened job id.
StatusOr<v1::RunFilter> CheckFilter(Coordinator& coordinator, const v1::RunFilter& filter);

}  // namespace fleetmark
