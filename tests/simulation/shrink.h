#pragma once

#include <optional>
#include <vector>

#include "tests/simulation/monitor.h"
#include "tests/simulation/plan.h"

namespace fleetmark::simulation {

// What a plan leads to.
std::optional<Violation> RunPlan(const Plan& plan);

// The indexes of a smallest set of `plan`'s incidents that still violates the same invariant: taking out any one of
// them lets it hold. `plan` violates it.
std::vector<size_t> Shrink(const Plan& plan, int invariant);

// The plan with these of its incidents alone.
Plan Keep(const Plan& plan, const std::vector<size_t>& indexes);

}  // namespace fleetmark::simulation
