#pragma once

#include <vector>

#include "agent/worker/models/network.h"

namespace fleetmark {

// A Keras ResNet for CIFAR-10 with 63 convolutions, biased: conv 3x3 64; ten residual blocks each of 64, 128 and 256
// filters, two conv 3x3 a block, where the first of 128 and of 256 have stride 2 and a conv 1x1 in their shortcut;
// average over the image; dense 10. Batch normalisation after each convolution, ReLU after each but the shortcuts'.
// Images are batch x 3 x 32 x 32; 15,187,722 parameters and 18,816 running averages.
class ResNet63 : public Network {
 public:
  ResNet63(at::Device device, at::MemoryFormat format);

  at::Tensor Forward(const at::Tensor& images, bool training) const override;

 private:
  struct Convolution {
    Layer layer;
    BatchNorm norm;
    int64_t stride;
    int64_t padding;

    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  struct Block {
    Convolution first, second;
    std::vector<Convolution> shortcut;  // none where the input is added as it is
  };
  Convolution MakeConvolution(int64_t outputs, int64_t inputs, int64_t kernel, int64_t stride, Use use);
  Block MakeBlock(int64_t outputs, int64_t inputs, Use use);

  const Convolution first_;
  std::vector<Block> blocks_;
  Layer dense_;
};

}  // namespace fleetmark
