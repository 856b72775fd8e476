#include "agent/worker/optim/optimizer.h"

#include <utility>

namespace fleetmark {
namespace {

// Elements that one thread takes at a time; below it a second thread costs more than it saves.
constexpr int64_t kGrain = 16384;

}  // namespace

Optimizer::Optimizer(std::vector<at::Tensor> parameters, const Options& options, int states)
    : lr_(options.lr), fused_(options.fused), gradient_scale_(options.gradient_scale) {
  for (at::Tensor& parameter : parameters) {
    Slot slot = {std::move(parameter), {}};
    for (int i = 0; i < states; ++i) {
      slot.states.push_back(at::zeros_like(slot.parameter, at::TensorOptions().requires_grad(false)));
    }
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::Step() {
  const at::NoGradGuard no_grad;
  ++step_;
  for (const Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    if (gradient_scale_ != 1) slot.parameter.mutable_grad().div_(gradient_scale_);
    if (fused_) {
      UpdateInOnePass(slot);
    } else {
      UpdateByOperations(slot);
    }
  }
}

void Optimizer::ZeroGrad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad() = at::Tensor();
}

void Optimizer::UpdateInOnePass(const Slot& slot) const {
  // Elementwise, so any order does that is the same for all: that of the parameter's own memory.
  const at::Tensor gradient = slot.parameter.grad().expand_as(slot.parameter);
  const at::Tensor ordered =
      gradient.strides() == slot.parameter.strides() ? gradient : at::empty_like(slot.parameter).copy_(gradient);
  Span whole = {slot.parameter.numel(), ordered.data_ptr<float>(), slot.parameter.data_ptr<float>(), {}};
  for (size_t i = 0; i < slot.states.size(); ++i) whole.states[i] = slot.states[i].data_ptr<float>();
  at::parallel_for(0, whole.count, kGrain, [this, &whole, &slot](int64_t begin, int64_t end) {
    Span part = {end - begin, whole.gradient + begin, whole.weight + begin, {}};
    for (size_t i = 0; i < slot.states.size(); ++i) part.states[i] = whole.states[i] + begin;
    UpdateSpan(part);
  });
}

}  // namespace fleetmark
