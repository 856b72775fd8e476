#include "agent/worker/models/mnist_network.h"

#include "agent/worker/kernels/pool_relu_dropout.h"

namespace fleetmark {
namespace {

constexpr double kConvolutionDropout = 0.25, kDenseDropout = 0.5;

}  // namespace

MnistNetwork::MnistNetwork(at::Device device, at::MemoryFormat format)
    : Network(Init::kPyTorch, device, format),
      conv1_(MakeLayer({32, 1, 3, 3}, {26 * 26, true})),
      conv2_(MakeLayer({64, 32, 3, 3}, {24 * 24})),
      fc1_(MakeLayer({128, 9216})),
      fc2_(MakeLayer({10, 128})) {}

at::Tensor MnistNetwork::Forward(const at::Tensor& images, bool training) const {
  at::Tensor x = at::relu(at::conv2d(images, conv1_.weight, conv1_.bias));
  x = at::relu(at::conv2d(x, conv2_.weight, conv2_.bias));
  x = at::dropout(at::max_pool2d(x, 2), kConvolutionDropout, training);
  return Classify(at::flatten(x, 1), training);
}

at::Tensor MnistNetwork::ForwardFused(const at::Tensor& images, uint32_t dropout_seed) const {
  const at::Tensor x = at::conv2d(images, conv1_.weight, conv1_.bias).relu_();
  const at::Tensor pooled =
      PoolReluDropout(at::conv2d(x, conv2_.weight, conv2_.bias), kConvolutionDropout, dropout_seed);
  return Classify(at::flatten(pooled, 1), true);
}

at::Tensor MnistNetwork::Classify(const at::Tensor& features, bool training) const {
  at::Tensor x = at::relu(at::linear(features, fc1_.weight, fc1_.bias));
  x = at::dropout(x, kDenseDropout, training);
  return at::log_softmax(at::linear(x, fc2_.weight, fc2_.bias), 1);
}

}  // namespace fleetmark
