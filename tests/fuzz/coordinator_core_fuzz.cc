#include "tests/fuzz/coordinator_world.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/script.h"

namespace fleetmark::fuzz {

// Requests of people and answers of agents into a coordinator, through failing commits and restarts.
void Fuzz_coordinator_core(std::string_view input) {
  constexpr int kMostLines = 60;
  CoordinatorWorld world;
  for (int i = 0; i < kMostLines && !input.empty(); ++i) world.Do(TakeLine(&input));
  world.CheckStored();
}

}  // namespace fleetmark::fuzz
