#include "agent/worker/models/mnist_network.h"

#include <cmath>

#include "agent/worker/kernels/pool_relu_dropout.h"

namespace fleetmark {
namespace {

constexpr double kConvolutionDropout = 0.25, kDenseDropout = 0.5;

}  // namespace

Layer::Layer(at::IntArrayRef shape, at::Device device, at::MemoryFormat format) {
  int64_t fan_in = 1;
  for (const int64_t extent : shape.slice(1)) fan_in *= extent;
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  weight = at::empty(shape).uniform_(-bound, bound).to(device);
  if (shape.size() == 4) weight = weight.contiguous(format);
  bias = at::empty({shape[0]}).uniform_(-bound, bound).to(device);
  weight.requires_grad_(true);
  bias.requires_grad_(true);
}

MnistNetwork::MnistNetwork(at::Device device, at::MemoryFormat format)
    : conv1_({32, 1, 3, 3}, device, format),
      conv2_({64, 32, 3, 3}, device, format),
      fc1_({128, 9216}, device, format),
      fc2_({10, 128}, device, format) {}

std::vector<at::Tensor> MnistNetwork::Parameters() const {
  std::vector<at::Tensor> parameters;
  for (const Layer* layer : {&conv1_, &conv2_, &fc1_, &fc2_}) {
    parameters.push_back(layer->weight);
    parameters.push_back(layer->bias);
  }
  return parameters;
}

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
