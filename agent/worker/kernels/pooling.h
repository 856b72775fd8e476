#pragma once

#include <cstdint>

// What our pooling kernels have in common.
namespace fleetmark {

// Where a window of 2 x 2 had its largest value: 0 and 1 above, 2 and 3 below; or that nothing passes from it.
inline constexpr uint8_t kNowhere = 4;

// NaN is larger than everything, as in ATen's pooling: it has to go through, it is how divergence shows.
inline bool IsLarger(float x, float than) { return (x > than) | (x != x); }

}  // namespace fleetmark
