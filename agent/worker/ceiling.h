#pragma once

#include <functional>
#include <string>

#include "agent/worker/run_loop.h"
#include "agent/worker/torch_headers.h"

// What a machine can do at best, measured by the worker on itself: the best of several kernels, since no one library is
// the fastest on every processor. Each measurement takes about a second; call it outside of all others.
namespace fleetmark {

// Arithmetic in the parameter `dtype`, in FLOP/s: the best of a matrix product by LibTorch, one by oneDNN on the CPU,
// and a large convolution.
double MeasureArithmeticCeiling(at::Device device, const std::string& dtype);

// Memory traffic within `device`, in B/s: the best of a copy, an addition in place and, on the CPU, both past the
// caches.
double MeasureMemoryCeiling(at::Device device);

// What the latter holds: two arrays, larger than caches.
inline constexpr double kMemoryCeilingBytes = 2.0 * (256 << 20);

// ceiling_share of `rate`; a note where the ceiling cannot be measured.
void RecordShare(double rate, const std::function<double()>& ceiling, MetricRecorder* recorder);

// tflop_per_s of a loop whose steps need `flops` each, and the share of the device's ceiling in `dtype`.
void RecordFlops(const LoopResult& loop, double flops, at::Device device, const std::string& dtype,
                 MetricRecorder* recorder);

}  // namespace fleetmark
