#pragma once

#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// Zeiler's Adadelta (arXiv:1212.5701) as torch.optim.Adadelta computes it, in fp32, without weight decay:
//   v = rho v + (1 - rho) g^2;   d = sqrt(u + eps) / sqrt(v + eps) g;   u = rho u + (1 - rho) d^2;   w = w - lr d
// LibTorch's C++ API has no Adadelta. `fused` does all of it in one pass over memory on the CPU, where a
// script's separate operations do nine; otherwise it is those operations. Not thread-safe.
class Adadelta {
 public:
  struct Options {
    double lr = 1.0;
    double rho = 0.9;
    double eps = 1e-6;
    bool fused = false;  // for parameters on the CPU
  };

  // `parameters` are dense fp32 leaves on one device; they are changed in place, their gradients are read.
  Adadelta(std::vector<at::Tensor> parameters, Options options);

  void set_lr(double lr) { options_.lr = lr; }
  double lr() const { return options_.lr; }

  // One update by the parameters' gradients; a parameter without one is left alone.
  void Step();
  // Drops the gradients, so that the next backward pass writes and does not add.
  void ZeroGrad();

 private:
  struct State {
    at::Tensor parameter;
    at::Tensor square_average;  // v
    at::Tensor delta_average;   // u
  };
  void UpdateInOnePass(const State& state) const;
  void UpdateByOperations(const State& state) const;

  std::vector<State> states_;
  Options options_;
};

}  // namespace fleetmark
