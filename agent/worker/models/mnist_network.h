#pragma once

#include <cstdint>
#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// Weight and bias of a convolution or a dense layer; leaves that want gradients.
struct Layer {
  at::Tensor weight, bias;

  Layer() = default;
  // `shape` is the weight's: outputs first. Uniform within 1 / sqrt(fan_in), as PyTorch's own layers begin, drawn from
  // ATen's CPU generator so that a seed gives the same network on every device.
  Layer(at::IntArrayRef shape, at::Device device, at::MemoryFormat format);
};

// The network of PyTorch's published MNIST example: conv 3x3 32, conv 3x3 64, max-pool 2, dropout .25, dense 128,
// dropout .5, dense 10, ReLU after each hidden layer. Images are batch x 1 x 28 x 28, fp32; results are the logarithms
// of the classes' probabilities, batch x 10.
class MnistNetwork {
 public:
  MnistNetwork() = default;
  MnistNetwork(at::Device device, at::MemoryFormat format);

  // Weight and bias of each layer from the first to the last: 8 tensors, 1,199,882 numbers.
  std::vector<at::Tensor> Parameters() const;

  // By ATen's operations, as a script would. `training` turns dropout on.
  at::Tensor Forward(const at::Tensor& images, bool training) const;
  // The same for training on the CPU, contiguous, with our kernel for what follows the convolutions.
  at::Tensor ForwardFused(const at::Tensor& images, uint32_t dropout_seed) const;

 private:
  at::Tensor Classify(const at::Tensor& features, bool training) const;

  Layer conv1_, conv2_, fc1_, fc2_;
};

}  // namespace fleetmark
