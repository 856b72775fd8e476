#include "agent/worker/optim/adadelta.h"

#include <cmath>
#include <utility>

#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

// Elements that one thread takes at a time; below it a second thread costs more than it saves.
constexpr int64_t kGrain = 16384;

FLEETMARK_VECTORISED
void Update(const Adadelta::Options& options, int64_t count, const float* __restrict gradients,
            float* __restrict squares, float* __restrict deltas, float* __restrict weights) {
  const float lr = static_cast<float>(options.lr), rho = static_cast<float>(options.rho);
  const float rest = static_cast<float>(1 - options.rho), eps = static_cast<float>(options.eps);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float v = squares[i] * rho + rest * g * g;
    const float d = std::sqrt(deltas[i] + eps) / std::sqrt(v + eps) * g;
    squares[i] = v;
    deltas[i] = deltas[i] * rho + rest * d * d;
    weights[i] -= lr * d;
  }
}

}  // namespace

Adadelta::Adadelta(std::vector<at::Tensor> parameters, Options options) : options_(options) {
  for (at::Tensor& parameter : parameters) {
    const at::Tensor zeros = at::zeros_like(parameter, at::TensorOptions().requires_grad(false));
    states_.push_back({std::move(parameter), zeros, zeros.clone()});
  }
}

void Adadelta::Step() {
  const at::NoGradGuard no_grad;
  for (const State& state : states_) {
    if (!state.parameter.grad().defined()) continue;
    if (options_.fused) {
      UpdateInOnePass(state);
    } else {
      UpdateByOperations(state);
    }
  }
}

void Adadelta::ZeroGrad() {
  for (State& state : states_) state.parameter.mutable_grad() = at::Tensor();
}

void Adadelta::UpdateInOnePass(const State& state) const {
  // Elementwise, so any order does that is the same for all four: that of the parameter's own memory.
  const at::Tensor gradient = state.parameter.grad().expand_as(state.parameter);
  const at::Tensor ordered =
      gradient.strides() == state.parameter.strides() ? gradient : at::empty_like(state.parameter).copy_(gradient);
  float* const weights = state.parameter.data_ptr<float>();
  const float* const gradients = ordered.data_ptr<float>();
  float* const squares = state.square_average.data_ptr<float>();
  float* const deltas = state.delta_average.data_ptr<float>();
  at::parallel_for(0, state.parameter.numel(), kGrain, [=, options = options_](int64_t begin, int64_t end) {
    Update(options, end - begin, gradients + begin, squares + begin, deltas + begin, weights + begin);
  });
}

void Adadelta::UpdateByOperations(const State& state) const {
  const at::Tensor& gradient = state.parameter.grad();
  const double rest = 1 - options_.rho;
  at::Tensor v = state.square_average, u = state.delta_average, parameter = state.parameter;
  v.mul_(options_.rho).addcmul_(gradient, gradient, rest);
  const at::Tensor d = u.add(options_.eps).sqrt_().div_(v.add(options_.eps).sqrt_()).mul_(gradient);
  u.mul_(options_.rho).addcmul_(d, d, rest);
  parameter.add_(d, -options_.lr);
}

}  // namespace fleetmark
