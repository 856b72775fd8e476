#pragma once

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// max_pool2d(relu(x), 2) with its gradient, for training on the CPU: two passes over memory where ATen's operations
// make eight. The same mathematics, except that a gradient stops where the largest input is exactly 0, as it does at
// relu anyway. `x` is fp32, batch x channels x height x width, channels last, height and width even; the result is
// channels last, of half the height and width. Inputs that are not so are a mistake in the program.
at::Tensor PoolRelu(const at::Tensor& x);

}  // namespace fleetmark
