#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fleetmark::fuzz {

// What a target does with one input. It returns whatever the input is, and breaks off where a promise is broken.
using Target = void (*)(std::string_view input);

// Every line of targets.def.
#define FLEETMARK_FUZZ_TARGET(name) void Fuzz_##name(std::string_view input);
#include "tests/fuzz/targets.def"
#undef FLEETMARK_FUZZ_TARGET

// The target of that name; says which there are and ends the program where there is none.
Target FindTarget(std::string_view name);

// A promise of the code under test that holds for every input.
inline void Require(bool holds, const std::string& promise) {
  if (holds) return;
  std::fprintf(stderr, "a promise was broken: %s\n", promise.c_str());
  std::abort();
}

}  // namespace fleetmark::fuzz
