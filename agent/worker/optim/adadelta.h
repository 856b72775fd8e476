#pragma once

#include <vector>

#include "agent/worker/optim/optimizer.h"

namespace fleetmark {

// Zeiler's Adadelta (arXiv:1212.5701) as torch.optim.Adadelta computes it, in fp32, without weight decay:
//   v = rho v + (1 - rho) g^2;   d = sqrt(u + eps) / sqrt(v + eps) g;   u = rho u + (1 - rho) d^2;   w = w - lr d
// with rho .9 and eps 1e-6. LibTorch's C++ API has no Adadelta.
class Adadelta : public Optimizer {
 public:
  Adadelta(std::vector<at::Tensor> parameters, const Options& options) : Optimizer(std::move(parameters), options, 2) {}

 private:
  void UpdateByOperations(const Slot& slot) const override;
  void UpdateSpan(const Span& span) const override;
};

}  // namespace fleetmark
