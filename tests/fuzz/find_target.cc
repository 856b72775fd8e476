#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/fuzz_target.h"

namespace fleetmark::fuzz {

Target FindTarget(std::string_view name) {
#define FLEETMARK_FUZZ_TARGET(target) \
  if (name == #target) return Fuzz_##target;
#include "tests/fuzz/targets.def"
#undef FLEETMARK_FUZZ_TARGET
  std::fprintf(stderr, "There is no target \"%.*s\". There are:", static_cast<int>(name.size()), name.data());
#define FLEETMARK_FUZZ_TARGET(target) std::fprintf(stderr, " " #target);
#include "tests/fuzz/targets.def"
#undef FLEETMARK_FUZZ_TARGET
  std::fprintf(stderr, "\n");
  std::exit(2);
}

}  // namespace fleetmark::fuzz
