#pragma once

#include <memory>
#include <string>

#include "agent/worker/models/network.h"
#include "agent/worker/optim/optimizer.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/torch_headers.h"

namespace fleetmark {

// Trains a network on one batch that lies on the device, again and again: what measures the device and no input.
class FixedBatch {
 public:
  struct Parts {
    std::unique_ptr<Network> network;
    std::unique_ptr<Optimizer> optimizer;
    at::Tensor inputs;  // samples first
    at::Tensor labels;  // one a row of the network's output
    std::string dtype;
  };
  explicit FixedBatch(Parts parts) : parts_(std::move(parts)) {}

  // One step; the device may still be at it when this returns.
  void Step();
  int64_t samples() const { return parts_.inputs.size(0); }
  const Network& network() const { return *parts_.network; }
  // Of the last step, once the device has done it.
  double Loss() const { return loss_.item<double>(); }

  // tflop_per_s and ceiling_share of `loop`, the loss of the last step and the counts of parameters. May measure the
  // ceiling, which takes seconds: after all that is timed.
  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const;

 private:
  Parts parts_;
  at::Tensor loss_;
};

}  // namespace fleetmark
