#include "agent/worker/models/layers.h"

#include <cmath>

namespace fleetmark {
namespace {

constexpr double kBatchNormShare = 0.01, kBatchNormEpsilon = 1e-3;

at::Tensor Uniform(at::IntArrayRef shape, double bound) { return at::empty(shape).uniform_(-bound, bound); }

}  // namespace

Layer::Layer(at::IntArrayRef shape, Init init, at::Device device, at::MemoryFormat format) {
  int64_t kernel = 1;
  for (const int64_t extent : shape.slice(2)) kernel *= extent;
  const auto fan_out = static_cast<double>(shape[0] * kernel), fan_in = static_cast<double>(shape[1] * kernel);
  const bool is_glorot = init == Init::kGlorot;
  const double bound = is_glorot ? std::sqrt(6 / (fan_in + fan_out)) : 1 / std::sqrt(fan_in);
  weight = Uniform(shape, bound).to(device);
  if (shape.size() == 4) weight = weight.contiguous(format);
  bias = (is_glorot ? at::zeros({shape[0]}) : Uniform({shape[0]}, bound)).to(device);
  weight.requires_grad_(true);
  bias.requires_grad_(true);
}

BatchNorm::BatchNorm(int64_t channels, at::Device device)
    : weight(at::ones({channels}).to(device).requires_grad_(true)),
      bias(at::zeros({channels}).to(device).requires_grad_(true)),
      running_mean(at::zeros({channels}).to(device)),
      running_variance(at::ones({channels}).to(device)) {}

at::Tensor BatchNorm::Forward(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, running_mean, running_variance, training, kBatchNormShare, kBatchNormEpsilon,
                        true);
}

std::vector<at::Tensor> ParametersOf(std::initializer_list<const Layer*> layers) {
  std::vector<at::Tensor> parameters;
  for (const Layer* layer : layers) {
    parameters.push_back(layer->weight);
    parameters.push_back(layer->bias);
  }
  return parameters;
}

}  // namespace fleetmark
