#include "agent/worker/kernels/streams.h"

#ifdef __SSE2__
#include <ATen/Parallel.h>
#include <emmintrin.h>
#endif

namespace fleetmark {

#ifdef __SSE2__
namespace {

constexpr int64_t kGrain = 1 << 16;
constexpr int64_t kLane = 4;

// Calls wide(i) where a whole vector can be stored, which has to be aligned, and narrow(i) for what is left at both
// ends.
template <typename Wide, typename Narrow>
void ForEachVector(int64_t count, const float* to, Wide wide, Narrow narrow) {
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    while (i < end && reinterpret_cast<uintptr_t>(to + i) % (kLane * sizeof(float)) != 0) narrow(i++);
    for (; i + kLane <= end; i += kLane) wide(i);
    while (i < end) narrow(i++);
    _mm_sfence();  // with the loop's end other threads see these stores
  });
}

}  // namespace

void StreamCopy(int64_t count, const float* from, float* to) {
  ForEachVector(
      count, to, [=](int64_t i) { _mm_stream_ps(to + i, _mm_loadu_ps(from + i)); },
      [=](int64_t i) { to[i] = from[i]; });
}

void StreamTriad(int64_t count, const float* x, const float* y, float factor, float* to) {
  const __m128 factors = _mm_set1_ps(factor);
  ForEachVector(
      count, to,
      [=](int64_t i) {
        _mm_stream_ps(to + i, _mm_add_ps(_mm_loadu_ps(x + i), _mm_mul_ps(factors, _mm_loadu_ps(y + i))));
      },
      [=](int64_t i) { to[i] = x[i] + factor * y[i]; });
}
#else
void StreamCopy(int64_t count, const float* from, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i];
}

void StreamTriad(int64_t count, const float* x, const float* y, float factor, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = x[i] + factor * y[i];
}
#endif

}  // namespace fleetmark
