#pragma once

#include <array>
#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// Changes parameters in place by their gradients. Two forms of the same mathematics: a script's separate operations, or
// one pass over memory on the CPU. Not thread-safe.
class Optimizer {
 public:
  struct Options {
    double lr;
    bool fused = false;         // in one pass; for parameters on the CPU
    double gradient_scale = 1;  // by which gradients are too large
  };

  virtual ~Optimizer() = default;

  void set_lr(double lr) { lr_ = lr; }
  double lr() const { return lr_; }
  double gradient_scale() const { return gradient_scale_; }

  // One update by the parameters' gradients; a parameter without one is left alone.
  void Step();
  // Drops the gradients, so that the next backward pass writes and does not add.
  void ZeroGrad();

 protected:
  static constexpr int kMostStates = 2;
  // A parameter and what the method keeps beside it.
  struct Slot {
    at::Tensor parameter;
    std::vector<at::Tensor> states;
  };
  // One stretch of their memory.
  struct Span {
    int64_t count;
    const float* gradient;
    float* weight;
    std::array<float*, kMostStates> states;
  };

  // `parameters` are dense fp32 leaves on one device. Each has `states` tensors beside it, which begin as zeros.
  Optimizer(std::vector<at::Tensor> parameters, const Options& options, int states);

  int64_t step() const { return step_; }  // from 1

 private:
  virtual void UpdateByOperations(const Slot& slot) const = 0;
  virtual void UpdateSpan(const Span& span) const = 0;
  void UpdateInOnePass(const Slot& slot) const;

  std::vector<Slot> slots_;
  double lr_;
  const bool fused_;
  const double gradient_scale_;
  int64_t step_ = 0;
};

}  // namespace fleetmark
