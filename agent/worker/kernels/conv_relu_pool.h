#pragma once

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// max_pool2d(relu(conv2d(x, weight, bias)), 2) with its gradients, for training small 5 x 5 convolutions on the CPU.
// What the convolution gives never goes to memory, and since of four of its values one at most has a gradient, going
// back costs a quarter of the arithmetic. A gradient stops where the largest value is exactly 0, as it does at relu
// anyway.
//
// All are fp32. `x` is batch x channels x height x width, channels last, height and width even, of 3 channels, which
// get no gradient, or 16; `weight` is outputs x channels x 5 x 5, channels last, with 16 outputs for 3 channels and 8
// for 16. Others are a mistake in the program. The result is channels last. Sums are in the same order with any number
// of threads.
at::Tensor ConvReluPool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace fleetmark
