#include "agent/worker/models/image_cnn.h"

namespace fleetmark {
namespace {

// 256 pixels pooled by 3, by 2 and by 2.
constexpr int64_t kFeatures = 128 * 21 * 21;

at::Tensor Pool(const at::Tensor& x, int64_t window, bool training) {
  constexpr double kPoolingDropout = 0.25;
  return at::dropout(at::max_pool2d(x, window), kPoolingDropout, training);
}

}  // namespace

ImageCnn::ImageCnn(at::Device device, at::MemoryFormat format)
    : Network(Init::kGlorot, device, format),
      conv1_(MakeHidden({32, 3, 3, 3}, {256 * 256, true})),
      conv2_(MakeHidden({64, 32, 3, 3}, {85 * 85})),
      conv3_(MakeHidden({64, 64, 3, 3}, {85 * 85})),
      conv4_(MakeHidden({128, 64, 3, 3}, {42 * 42})),
      conv5_(MakeHidden({128, 128, 3, 3}, {42 * 42})),
      dense1_(MakeHidden({1024, kFeatures})),
      dense2_(MakeLayer({4, 1024})) {}

ImageCnn::Hidden ImageCnn::MakeHidden(at::IntArrayRef shape, Use use) {
  Layer layer = MakeLayer(shape, use);
  return {std::move(layer), MakeBatchNorm(shape[0])};
}

at::Tensor ImageCnn::Convolve(const Hidden& hidden, const at::Tensor& x, bool training) {
  return hidden.norm(at::conv2d(x, hidden.layer.weight, hidden.layer.bias, 1, 1).relu_(), training);
}

at::Tensor ImageCnn::Forward(const at::Tensor& images, bool training) const {
  constexpr double kHiddenDropout = 0.5;
  at::Tensor x = Pool(Convolve(conv1_, images, training), 3, training);
  x = Convolve(conv3_, Convolve(conv2_, x, training), training);
  x = Pool(x, 2, training);
  x = Convolve(conv5_, Convolve(conv4_, x, training), training);
  x = at::flatten(Pool(x, 2, training), 1);
  x = dense1_.norm(at::linear(x, dense1_.layer.weight, dense1_.layer.bias).relu_(), training);
  x = at::dropout(x, kHiddenDropout, training);
  return at::log_softmax(at::linear(x, dense2_.weight, dense2_.bias), 1);
}

}  // namespace fleetmark
