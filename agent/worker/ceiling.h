#pragma once

#include <string>

#include "agent/worker/run_loop.h"
#include "agent/worker/torch_headers.h"

// What a machine can do at best, measured by the worker on itself: the best of several kernels, since no one library is
// the fastest on every processor, and by every core, however many threads the run had. Each measurement takes a second
// or two; call it outside of all others.
namespace fleetmark {

// Arithmetic in the parameter `dtype`, in FLOP/s: the best of a matrix product by LibTorch, one by oneDNN on the CPU,
// and a large convolution.
double MeasureArithmeticCeiling(at::Device device, const std::string& dtype);

// Memory traffic within `device`, in B/s: the best of a copy, an addition in place and, on the CPU, both past the
// caches.
double MeasureMemoryCeiling(at::Device device);

// What the latter passes over, an array or two. A workload that holds less may lie in caches, which are faster than
// memory; one that holds as much gains no more by them than the ceiling did.
inline constexpr double kMemoryCeilingArrayBytes = 256 << 20;

// ceiling_share of a memory traffic of `rate` B/s, of which a step passes over `held_bytes`. A note where that is too
// little to be compared, or where the ceiling cannot be measured.
void RecordMemoryShare(double rate, double held_bytes, at::Device device, MetricRecorder* recorder);

// tflop_per_s of a loop whose steps need `flops` each, and ceiling_share, the share of the device's ceiling in `dtype`.
void RecordFlops(const LoopResult& loop, double flops, at::Device device, const std::string& dtype,
                 MetricRecorder* recorder);

}  // namespace fleetmark
