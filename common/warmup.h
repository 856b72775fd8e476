#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace fleetmark {

// How much of the beginning of a series is not like the rest of it.
struct Warmup {
  size_t samples = 0;             // to leave out
  std::optional<bool> is_steady;  // whether the series settled within its first half; absent where it cannot be told
};

// Fewer step times are too few to look for a warm-up among them: with 50 of them, ten batches, noise alone passes for
// a run that never settles in one of ten, with 100 in one of thirty, with 200 in none.
inline constexpr size_t kFewestForWarmup = 100;

// MSER-5 (White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69, 1997;
// batches of five: Franklin and White, Winter Simulation Conference 2008): of the means of batches of five samples as
// many are left out at the beginning, up to half of them, as make the standard error of the mean of the rest least.
// Where that is at the half, the series had not settled by then: it is not steady, and nothing is left out. In noise
// alone the least often lies some batches behind the beginning, which costs samples and does no harm. What would be
// left out has to be slower on average than what stays: a fast beginning is no warm-up but a burst, and has to stay
// visible. A value that is not finite, zero or negative is no step time: with one, nothing is told.
Warmup FindWarmup(std::span<const double> step_s);

}  // namespace fleetmark
