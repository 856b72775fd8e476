#include "agent/worker/models/lenet.h"

#include "agent/worker/kernels/conv_relu_pool.h"

namespace fleetmark {

LeNet::LeNet(at::Device device, at::MemoryFormat format)
    : Network(Init::kGlorot, device, format),
      conv1_(MakeLayer({16, 3, 5, 5}, {28 * 28, true})),
      conv2_(MakeLayer({8, 16, 5, 5}, {10 * 10})),
      dense1_(MakeLayer({120, 200})),
      dense2_(MakeLayer({84, 120})),
      dense3_(MakeLayer({10, 84})) {}

at::Tensor LeNet::Forward(const at::Tensor& images, bool /*training*/) const {
  at::Tensor x = at::max_pool2d(at::relu(at::conv2d(images, conv1_.weight, conv1_.bias)), 2);
  x = at::max_pool2d(at::relu(at::conv2d(x, conv2_.weight, conv2_.bias)), 2);
  return Classify(x);
}

at::Tensor LeNet::ForwardFused(const at::Tensor& images) const {
  const at::Tensor x = ConvReluPool(images, conv1_.weight, conv1_.bias);
  return Classify(ConvReluPool(x, conv2_.weight, conv2_.bias));
}

at::Tensor LeNet::Classify(const at::Tensor& features) const {
  at::Tensor x = at::linear(at::flatten(features, 1), dense1_.weight, dense1_.bias);
  x = at::linear(x, dense2_.weight, dense2_.bias);
  return at::log_softmax(at::linear(x, dense3_.weight, dense3_.bias), 1);
}

}  // namespace fleetmark
