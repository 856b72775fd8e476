#include "tests/fuzz/coordinator_world.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/script.h"

namespace fleetmark::fuzz {

// Requests of people and answers of agents into a coordinator, through failing commits and restarts.
void Fuzz_coordinator_core(std::string_view input) {
  constexpr int kMostLines = 60;
  const std::string script = Plain(input);
  std::string_view rest = script;
  CoordinatorWorld world;
  for (int i = 0; i < kMostLines && !rest.empty(); ++i) world.Do(TakeLine(&rest));
  world.CheckStored();
}

}  // namespace fleetmark::fuzz
