#include "agent/worker/models/resnet63.h"

namespace fleetmark {
ResNet63::ResNet63(at::Device device, at::MemoryFormat format)
    : Network(Init::kGlorot, device, format), first_(MakeConvolution(64, 3, 3, 1, {32 * 32, true})) {
  constexpr int kBlocksOfAWidth = 10;
  int64_t inputs = 64, side = 32;
  for (const int64_t outputs : {64, 128, 256}) {
    for (int block = 0; block < kBlocksOfAWidth; ++block) {
      if (inputs != outputs) side /= 2;
      blocks_.push_back(MakeBlock(outputs, inputs, {side * side}));
      inputs = outputs;
    }
  }
  dense_ = MakeLayer({10, inputs});
}

ResNet63::Convolution ResNet63::MakeConvolution(int64_t outputs, int64_t inputs, int64_t kernel, int64_t stride,
                                                Use use) {
  Layer layer = MakeLayer({outputs, inputs, kernel, kernel}, use);
  return {std::move(layer), MakeBatchNorm(outputs), stride, kernel / 2};
}

ResNet63::Block ResNet63::MakeBlock(int64_t outputs, int64_t inputs, Use use) {
  const int64_t stride = outputs == inputs ? 1 : 2;
  Block block = {MakeConvolution(outputs, inputs, 3, stride, use), MakeConvolution(outputs, outputs, 3, 1, use), {}};
  if (stride == 2) block.shortcut.push_back(MakeConvolution(outputs, inputs, 1, stride, use));
  return block;
}

at::Tensor ResNet63::Convolution::operator()(const at::Tensor& x, bool training) const {
  return norm(at::conv2d(x, layer.weight, layer.bias, stride, padding), training);
}

at::Tensor ResNet63::Forward(const at::Tensor& images, bool training) const {
  at::Tensor x = first_(images, training).relu_();
  for (const Block& block : blocks_) {
    const at::Tensor residual = block.second(block.first(x, training).relu_(), training);
    x = residual.add_(block.shortcut.empty() ? x : block.shortcut.front()(x, training)).relu_();
  }
  return at::log_softmax(at::linear(at::mean(x, {2, 3}), dense_.weight, dense_.bias), 1);
}

}  // namespace fleetmark
