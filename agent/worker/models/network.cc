#include "agent/worker/models/network.h"

#include <cmath>

namespace fleetmark {
namespace {

at::Tensor Uniform(at::IntArrayRef shape, double bound) { return at::empty(shape).uniform_(-bound, bound); }

at::Tensor BeginWeight(Init init, at::IntArrayRef shape, double fan_in, double fan_out) {
  constexpr double kGpt2Deviation = 0.02;
  const bool is_convolution = shape.size() == 4;
  switch (init) {
    case Init::kGlorot:
      return Uniform(shape, std::sqrt(6 / (fan_in + fan_out)));
    case Init::kGpt2:
      return at::empty(shape).normal_(0, kGpt2Deviation);
    case Init::kKaiming:
      if (is_convolution) return at::empty(shape).normal_(0, std::sqrt(2 / fan_out));
      break;
    case Init::kPyTorch:
      break;
  }
  return Uniform(shape, 1 / std::sqrt(fan_in));
}

}  // namespace

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, running_mean, running_variance, training, share, epsilon, true);
}

at::Tensor Network::AddParameter(const at::Tensor& parameter) {
  parameters_.push_back(parameter.to(device_).detach().requires_grad_(true));
  return parameters_.back();
}

Layer Network::MakeLayer(at::IntArrayRef shape, Use use) {
  int64_t kernel = 1;
  for (const int64_t extent : shape.slice(2)) kernel *= extent;
  const auto fan_out = static_cast<double>(shape[0] * kernel), fan_in = static_cast<double>(shape[1] * kernel);
  const double products = fan_in * static_cast<double>(shape[0] * use.positions);
  products_ += products;
  if (use.reads_data) products_on_data_ += products;
  const bool is_convolution = shape.size() == 4;
  at::Tensor weight = BeginWeight(init_, shape, fan_in, fan_out);
  Layer layer = {AddParameter(is_convolution ? weight.contiguous(format_) : weight), {}};
  if (init_ == Init::kKaiming && is_convolution) return layer;
  const bool is_zero = init_ == Init::kGlorot || init_ == Init::kGpt2;
  layer.bias = AddParameter(is_zero ? at::zeros({shape[0]}) : Uniform({shape[0]}, 1 / std::sqrt(fan_in)));
  return layer;
}

BatchNorm Network::MakeBatchNorm(int64_t channels, double share, double epsilon) {
  const at::TensorOptions options = at::TensorOptions().device(device_);
  BatchNorm norm = {AddParameter(at::ones({channels})),
                    AddParameter(at::zeros({channels})),
                    at::zeros({channels}, options),
                    at::ones({channels}, options),
                    share,
                    epsilon};
  buffers_.insert(buffers_.end(), {norm.running_mean, norm.running_variance});
  return norm;
}

}  // namespace fleetmark
