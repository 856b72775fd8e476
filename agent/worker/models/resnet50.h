#pragma once

#include <vector>

#include "agent/worker/models/network.h"

namespace fleetmark {

// ResNet-50 (arXiv:1512.03385) in the form that torchvision calls resnet50, with the stride of a block in its 3x3
// convolution. Images are batch x 3 x 224 x 224, of 1000 classes; 25,557,032 parameters.
class ResNet50 : public Network {
 public:
  static constexpr int64_t kSide = 224, kClasses = 1000;

  ResNet50(at::Device device, at::MemoryFormat format);

  at::Tensor Forward(const at::Tensor& images, bool training) const override;

 private:
  static constexpr int64_t kExpansion = 4;  // of a block's output over its width

  struct Convolution {
    at::Tensor weight;
    BatchNorm norm;
    int64_t stride;
    int64_t padding;

    at::Tensor operator()(const at::Tensor& x, bool training) const;
  };
  struct Block {
    Convolution reduce, middle, widen;
    std::vector<Convolution> shortcut;  // none where the input is added as it is
  };
  // `side` is that of its output.
  Convolution MakeConvolution(int64_t outputs, int64_t inputs, int64_t kernel, int64_t stride, int64_t side);
  Block MakeBlock(int64_t width, int64_t inputs, int64_t stride, int64_t side);

  const Convolution first_;
  std::vector<Block> blocks_;
  Layer dense_;
};

}  // namespace fleetmark
