#include <cmath>

#include "agent/worker/run_spec_json.h"
#include "tests/fuzz/fuzz_target.h"

namespace fleetmark::fuzz {

// What the worker reads on its standard input.
void Fuzz_run_spec(std::string_view input) {
  const StatusOr<RunSpec> spec = ParseRunSpec(input);
  if (!spec.ok()) {
    Require(spec.status().kind() == "bad_parameter" && !spec.status().message().empty(), "a refusal says why");
    return;
  }
  Require(!spec->workload.empty() && spec->workload_version >= 0, "a run specification names a workload");
  for (const Ceiling& ceiling : spec->ceilings) {
    Require(ceiling.rate > 0 && std::isfinite(ceiling.rate), "a ceiling has a rate");
  }
}

}  // namespace fleetmark::fuzz
