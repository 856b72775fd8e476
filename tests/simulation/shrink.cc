#include "tests/simulation/shrink.h"

#include <algorithm>
#include <numeric>

#include "tests/simulation/world.h"

namespace fleetmark::simulation {

std::optional<Violation> RunPlan(const Plan& plan) {
  World world(plan, nullptr);
  return world.Run();
}

Plan Keep(const Plan& plan, const std::vector<size_t>& indexes) {
  Plan kept = plan;
  kept.incidents.clear();
  for (const size_t index : indexes) {
    if (index < plan.incidents.size()) kept.incidents.push_back(plan.incidents[index]);
  }
  return kept;
}

// Delta debugging: takes out halves, quarters and so on down to single ones, as long as it stays red.
std::vector<size_t> Shrink(const Plan& plan, int invariant) {
  std::vector<size_t> kept(plan.incidents.size());
  std::iota(kept.begin(), kept.end(), 0);
  size_t chunk = kept.size();
  while (chunk > 0) {
    bool has_shrunk = false;
    for (size_t from = 0; from < kept.size();) {
      std::vector<size_t> fewer = kept;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(std::min(chunk, kept.size() - from)));
      const auto violation = RunPlan(Keep(plan, fewer));
      if (violation && violation->invariant == invariant) {
        kept = std::move(fewer);
        has_shrunk = true;
      } else {
        from += chunk;
      }
    }
    if (chunk > 1) {
      chunk = (chunk + 1) / 2;
    } else if (!has_shrunk) {
      break;
    }
  }
  return kept;
}

}  // namespace fleetmark::simulation
