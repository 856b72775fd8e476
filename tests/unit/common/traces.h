#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/fakes/noise.h"

// Step times made by seed, the same with every library, with a truth that is known.
namespace fleetmark {

// An autoregression of first order from its stationary distribution on, with mean `mean` and standard deviation `sd`.
inline std::vector<double> Autoregression(uint64_t seed, size_t n, double phi, double mean, double sd) {
  Noise noise(seed);
  std::vector<double> values;
  values.reserve(n);
  double state = noise.Normal();
  for (size_t i = 0; i < n; ++i) {
    values.push_back(mean + sd * state);
    state = phi * state + std::sqrt(1 - phi * phi) * noise.Normal();
  }
  return values;
}

// How many traces a property is tried on: without optimisation, and with a sanitizer, a tenth must do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif
constexpr int Traces(int count) { return kIsSanitized ? count / 10 : count; }

}  // namespace fleetmark
