#pragma once

#include <cstdint>

// Passes over memory that is larger than the caches. Their stores go past them, where a plain one reads first what it
// is about to overwrite. By all threads of ATen; x86 only, where kHasStreams is true.
namespace fleetmark {

#ifdef __SSE2__
inline constexpr bool kHasStreams = true;
#else
inline constexpr bool kHasStreams = false;
#endif

// to[i] = from[i]
void StreamCopy(int64_t count, const float* from, float* to);
// to[i] = x[i] + factor * y[i]
void StreamTriad(int64_t count, const float* x, const float* y, float factor, float* to);

}  // namespace fleetmark
