#include "agent/worker/models/network.h"

#include <cmath>

namespace fleetmark {
namespace {

constexpr double kBatchNormShare = 0.01, kBatchNormEpsilon = 1e-3;

at::Tensor Uniform(at::IntArrayRef shape, double bound) { return at::empty(shape).uniform_(-bound, bound); }

}  // namespace

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, running_mean, running_variance, training, kBatchNormShare, kBatchNormEpsilon,
                        true);
}

Layer Network::MakeLayer(at::IntArrayRef shape) {
  int64_t kernel = 1;
  for (const int64_t extent : shape.slice(2)) kernel *= extent;
  const auto fan_out = static_cast<double>(shape[0] * kernel), fan_in = static_cast<double>(shape[1] * kernel);
  const bool is_glorot = init_ == Init::kGlorot;
  const double bound = is_glorot ? std::sqrt(6 / (fan_in + fan_out)) : 1 / std::sqrt(fan_in);
  Layer layer;
  layer.weight = Uniform(shape, bound).to(device_);
  if (shape.size() == 4) layer.weight = layer.weight.contiguous(format_);
  layer.bias = (is_glorot ? at::zeros({shape[0]}) : Uniform({shape[0]}, bound)).to(device_);
  for (const at::Tensor& parameter : {layer.weight, layer.bias}) {
    parameter.requires_grad_(true);
    parameters_.push_back(parameter);
  }
  return layer;
}

BatchNorm Network::MakeBatchNorm(int64_t channels) {
  const at::TensorOptions options = at::TensorOptions().device(device_);
  BatchNorm norm = {at::ones({channels}, options).requires_grad_(true),
                    at::zeros({channels}, options).requires_grad_(true), at::zeros({channels}, options),
                    at::ones({channels}, options)};
  parameters_.insert(parameters_.end(), {norm.weight, norm.bias});
  buffers_.insert(buffers_.end(), {norm.running_mean, norm.running_variance});
  return norm;
}

}  // namespace fleetmark
