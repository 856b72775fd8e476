#include "agent/worker/optim/adadelta.h"

#include <cmath>

#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

constexpr double kRho = 0.9, kEpsilon = 1e-6;

FLEETMARK_VECTORISED
void Update(float lr, int64_t count, const float* __restrict gradients, float* __restrict squares,
            float* __restrict deltas, float* __restrict weights) {
  constexpr auto kShare = static_cast<float>(kRho), kRest = static_cast<float>(1 - kRho);
  constexpr auto kEps = static_cast<float>(kEpsilon);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float v = squares[i] * kShare + kRest * g * g;
    const float d = std::sqrt(deltas[i] + kEps) / std::sqrt(v + kEps) * g;
    squares[i] = v;
    deltas[i] = deltas[i] * kShare + kRest * d * d;
    weights[i] -= lr * d;
  }
}

}  // namespace

void Adadelta::UpdateSpan(const Span& span) const {
  Update(static_cast<float>(lr()), span.count, span.gradient, span.states[0], span.states[1], span.weight);
}

void Adadelta::UpdateByOperations(const Slot& slot) const {
  const at::Tensor& gradient = slot.parameter.grad();
  at::Tensor v = slot.states[0], u = slot.states[1], parameter = slot.parameter;
  v.mul_(kRho).addcmul_(gradient, gradient, 1 - kRho);
  const at::Tensor d = u.add(kEpsilon).sqrt_().div_(v.add(kEpsilon).sqrt_()).mul_(gradient);
  u.mul_(kRho).addcmul_(d, d, 1 - kRho);
  parameter.add_(d, -lr());
}

}  // namespace fleetmark
