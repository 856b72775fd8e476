#pragma once

#include <cstdint>

#include "agent/worker/models/network.h"

namespace fleetmark {

// The network of PyTorch's published MNIST example: conv 3x3 32, conv 3x3 64, max-pool 2, dropout .25, dense 128,
// dropout .5, dense 10, ReLU after each hidden layer. Images are batch x 1 x 28 x 28; 1,199,882 parameters.
class MnistNetwork : public Network {
 public:
  MnistNetwork(at::Device device, at::MemoryFormat format);

  // By ATen's operations, as a script would.
  at::Tensor Forward(const at::Tensor& images, bool training) const override;
  // The same for training on the CPU, contiguous, with our kernel for what follows the convolutions.
  at::Tensor ForwardFused(const at::Tensor& images, uint32_t dropout_seed) const;

 private:
  at::Tensor Classify(const at::Tensor& features, bool training) const;

  const Layer conv1_, conv2_, fc1_, fc2_;
};

}  // namespace fleetmark
