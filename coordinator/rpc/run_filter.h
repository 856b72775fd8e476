#pragma once

#include "coordinator/coordinator.h"

namespace fleetmark {

// InvalidArgument for a word that there is not, "" aside: filtering by it would look like an empty result.
Status CheckResultWords(const std::string& verdict, const std::string& profile);

// Checks the words of a filter and completes a shortened job id.
StatusOr<v1::RunFilter> CheckFilter(Coordinator& coordinator, const v1::RunFilter& filter);

}  // namespace fleetmark
