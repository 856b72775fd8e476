#include "agent/worker/models/resnet50.h"

namespace fleetmark {
ResNet50::ResNet50(at::Device device, at::MemoryFormat format)
    : Network(Init::kKaiming, device, format), first_(MakeConvolution(64, 3, 7, 2, kSide / 2)) {
  struct Stage {
    int64_t width;
    int blocks;
  };
  constexpr Stage kStages[] = {{64, 3}, {128, 4}, {256, 6}, {512, 3}};
  int64_t inputs = 64, side = kSide / 4;
  for (const Stage& stage : kStages) {
    for (int block = 0; block < stage.blocks; ++block) {
      const int64_t stride = block == 0 && stage.width > 64 ? 2 : 1;
      side /= stride;
      blocks_.push_back(MakeBlock(stage.width, inputs, stride, side));
      inputs = kExpansion * stage.width;
    }
  }
  dense_ = MakeLayer({kClasses, inputs});
}

ResNet50::Convolution ResNet50::MakeConvolution(int64_t outputs, int64_t inputs, int64_t kernel, int64_t stride,
                                                int64_t side) {
  constexpr double kShare = 0.1, kEpsilon = 1e-5;  // PyTorch's defaults
  const Layer layer = MakeLayer({outputs, inputs, kernel, kernel}, {side * side, inputs == 3});
  return {layer.weight, MakeBatchNorm(outputs, kShare, kEpsilon), stride, kernel / 2};
}

ResNet50::Block ResNet50::MakeBlock(int64_t width, int64_t inputs, int64_t stride, int64_t side) {
  const int64_t outputs = kExpansion * width;
  Block block = {MakeConvolution(width, inputs, 1, 1, side * stride),
                 MakeConvolution(width, width, 3, stride, side),
                 MakeConvolution(outputs, width, 1, 1, side),
                 {}};
  if (inputs != outputs) block.shortcut.push_back(MakeConvolution(outputs, inputs, 1, stride, side));
  return block;
}

at::Tensor ResNet50::Convolution::operator()(const at::Tensor& x, bool training) const {
  return norm(at::conv2d(x, weight, {}, stride, padding), training);
}

at::Tensor ResNet50::Forward(const at::Tensor& images, bool training) const {
  at::Tensor x = at::max_pool2d(first_(images, training).relu_(), 3, 2, 1);
  for (const Block& block : blocks_) {
    at::Tensor residual = block.middle(block.reduce(x, training).relu_(), training).relu_();
    residual = block.widen(residual, training);
    x = residual.add_(block.shortcut.empty() ? x : block.shortcut.front()(x, training)).relu_();
  }
  return at::log_softmax(at::linear(at::mean(x, {2, 3}), dense_.weight, dense_.bias), 1);
}

}  // namespace fleetmark
