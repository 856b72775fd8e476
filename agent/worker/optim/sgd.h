#pragma once

#include <vector>

#include "agent/worker/optim/optimizer.h"

namespace fleetmark {

// Gradient descent with momentum .9 as torch.optim.SGD and Flux.jl's Momentum compute it, in fp32:
//   b = .9 b + g;   w = w - lr b
class Sgd : public Optimizer {
 public:
  Sgd(std::vector<at::Tensor> parameters, const Options& options) : Optimizer(std::move(parameters), options, 1) {}

 private:
  void UpdateByOperations(const Slot& slot) const override;
  void UpdateSpan(const Span& span) const override;
};

}  // namespace fleetmark
