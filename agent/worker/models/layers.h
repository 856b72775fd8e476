#pragma once

#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// How a layer begins. Drawn from ATen's CPU generator, so that a seed gives the same network on every device.
enum class Init {
  kPyTorch,  // weight and bias uniform within 1 / sqrt(fan_in), as PyTorch's own layers
  kGlorot,   // weight uniform within sqrt(6 / (fan_in + fan_out)), bias 0, as those of Keras and Flux.jl
};

// Weight and bias of a convolution or a dense layer; leaves that want gradients.
struct Layer {
  at::Tensor weight, bias;

  Layer() = default;
  // `shape` is the weight's: outputs first, then inputs, then the kernel's height and width.
  Layer(at::IntArrayRef shape, Init init, at::Device device, at::MemoryFormat format);
};

// Batch normalisation over batch, height and width. The running averages are not trained.
struct BatchNorm {
  at::Tensor weight, bias, running_mean, running_variance;

  BatchNorm() = default;
  BatchNorm(int64_t channels, at::Device device);

  // As Keras has it: a new batch counts for 1 % in the running averages, 1e-3 is added to the variance.
  at::Tensor Forward(const at::Tensor& x, bool training) const;
};

// Weights and biases of `layers` in their order.
std::vector<at::Tensor> ParametersOf(std::initializer_list<const Layer*> layers);

}  // namespace fleetmark
