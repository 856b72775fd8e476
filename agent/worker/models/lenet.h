#pragma once

#include "agent/worker/models/network.h"

namespace fleetmark {

// The LeNet of Flux.jl's model zoo for CIFAR-10: conv 5x5 16, max-pool 2, conv 5x5 8, max-pool 2, dense 120, 84, 10;
// ReLU after the convolutions and nothing between the dense layers. Images are batch x 3 x 32 x 32; 39,558 parameters.
class LeNet : public Network {
 public:
  LeNet(at::Device device, at::MemoryFormat format);

  // By ATen's operations, as a script would.
  at::Tensor Forward(const at::Tensor& images, bool training) const override;
  // The same for training on the CPU, channels last, by our kernel of convolution, ReLU and pooling in one.
  at::Tensor ForwardFused(const at::Tensor& images) const;

 private:
  at::Tensor Classify(const at::Tensor& features) const;

  const Layer conv1_, conv2_, dense1_, dense2_, dense3_;
};

}  // namespace fleetmark
