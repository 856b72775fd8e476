#include "agent/worker/optim/adam.h"

#include <cmath>

#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

// What depends on the number of the step alone.
struct Factors {
  double lr;         // corrected for m, which began at 0
  double root_of_v;  // what sqrt(v) is divided by, for the same reason

  Factors(double rate, int64_t step)
      : lr(rate / (1 - std::pow(kBeta1, static_cast<double>(step)))),
        root_of_v(std::sqrt(1 - std::pow(kBeta2, static_cast<double>(step)))) {}
};

FLEETMARK_VECTORISED
void Update(const Factors& factors, int64_t count, const float* __restrict gradients, float* __restrict means,
            float* __restrict squares, float* __restrict weights) {
  constexpr auto kShare1 = static_cast<float>(kBeta1), kRest1 = static_cast<float>(1 - kBeta1);
  constexpr auto kShare2 = static_cast<float>(kBeta2), kRest2 = static_cast<float>(1 - kBeta2);
  constexpr auto kEps = static_cast<float>(kEpsilon);
  const auto lr = static_cast<float>(factors.lr), scale = static_cast<float>(1 / factors.root_of_v);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float m = means[i] * kShare1 + kRest1 * g;
    const float v = squares[i] * kShare2 + kRest2 * g * g;
    means[i] = m;
    squares[i] = v;
    weights[i] -= lr * m / (std::sqrt(v) * scale + kEps);
  }
}

}  // namespace

void Adam::UpdateSpan(const Span& span) const {
  Update(Factors(lr(), step()), span.count, span.gradient, span.states[0], span.states[1], span.weight);
}

void Adam::UpdateByOperations(const Slot& slot) const {
  const Factors factors(lr(), step());
  const at::Tensor& gradient = slot.parameter.grad();
  at::Tensor m = slot.states[0], v = slot.states[1], parameter = slot.parameter;
  m.lerp_(gradient, 1 - kBeta1);
  v.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  parameter.addcdiv_(m, v.sqrt().div_(factors.root_of_v).add_(kEpsilon), -factors.lr);
}

}  // namespace fleetmark
