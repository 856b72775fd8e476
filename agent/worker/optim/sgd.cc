#include "agent/worker/optim/sgd.h"

#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

constexpr double kMomentum = 0.9;

FLEETMARK_VECTORISED
void Update(float lr, int64_t count, const float* __restrict gradients, float* __restrict momenta,
            float* __restrict weights) {
  constexpr auto kShare = static_cast<float>(kMomentum);
  for (int64_t i = 0; i < count; ++i) {
    momenta[i] = momenta[i] * kShare + gradients[i];
    weights[i] -= lr * momenta[i];
  }
}

}  // namespace

void Sgd::UpdateSpan(const Span& span) const {
  Update(static_cast<float>(lr()), span.count, span.gradient, span.states[0], span.weight);
}

void Sgd::UpdateByOperations(const Slot& slot) const {
  at::Tensor momentum = slot.states[0], parameter = slot.parameter;
  momentum.mul_(kMomentum).add_(slot.parameter.grad());
  parameter.add_(momentum, -lr());
}

}  // namespace fleetmark
