#pragma once

#include <cstdint>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// dropout(max_pool2d(relu(x), 2), p) with its gradient, for training on the CPU: two passes over memory where ATen's
// operations make eleven, and a mask that is drawn in parallel. The same mathematics, except that a gradient stops
// where the largest input is exactly 0, as it does at relu anyway; the mask comes from another random stream than
// ATen's, of which `seed` is the key: the same seed gives the same mask with any number of threads. `x` is fp32, batch
// x channels x height x width, contiguous, height and width even, width at most 128; the result is contiguous, of half
// the height and width. Inputs that are not so are a mistake in the program.
at::Tensor PoolReluDropout(const at::Tensor& x, double p, uint32_t seed);

}  // namespace fleetmark
