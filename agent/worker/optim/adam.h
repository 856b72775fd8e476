#pragma once

#include <vector>

#include "agent/worker/optim/optimizer.h"

namespace fleetmark {

// Adam (arXiv:1412.6980) as torch.optim.Adam computes it, in fp32, without weight decay: in step t
//   m = b1 m + (1 - b1) g;   v = b2 v + (1 - b2) g^2;   w = w - lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
// with b1 .9, b2 .999 and eps 1e-8.
class Adam : public Optimizer {
 public:
  Adam(std::vector<at::Tensor> parameters, const Options& options) : Optimizer(std::move(parameters), options, 2) {}

 private:
  void UpdateByOperations(const Slot& slot) const override;
  void UpdateSpan(const Span& span) const override;
};

}  // namespace fleetmark
