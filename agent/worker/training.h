#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/worker/data/labelled_images.h"
#include "agent/worker/models/network.h"
#include "agent/worker/optim/optimizer.h"
#include "agent/worker/parameters.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

// What the workloads that train a network on images have in common.
namespace fleetmark {

struct ImageTensors {
  at::Tensor pixels;  // count x channels x side x side, fp32
  at::Tensor labels;  // count, int64
};

// On `device`, with bytes scaled to (byte / 255 - mean) / deviation.
ImageTensors ToTensors(const LabelledImages& images, double mean, double deviation, at::Device device,
                       at::MemoryFormat format);

// What the parameter `memory_format` asks for.
at::MemoryFormat MemoryFormatOf(const Parameters& parameters);
// Before a network is made: has `dtype` take effect and seeds ATen's generator. Refuses a dtype that the device has
// not, and kernels=fused where there are none: off the CPU, or, where they are of convolutions in `fused_format`, in
// another one or in another dtype than fp32.
Status BeginTraining(const Parameters& parameters, at::Device device,
                     std::optional<at::MemoryFormat> fused_format = std::nullopt);
// As `kernels` and `dtype` ask for.
Optimizer::Options OptimizerOptions(const Parameters& parameters, double lr);

// One training step: forward, backward, update.
struct TrainedStep {
  at::Tensor output;  // as `forward` returned it
  at::Tensor loss;    // of one element, on the device
};
TrainedStep TrainOnBatch(const std::function<at::Tensor()>& forward, const at::Tensor& labels, const std::string& dtype,
                         Optimizer* optimizer);

// What a network answered in the steps of an epoch, kept so that loss and accuracy are computed when nothing is timed.
class EpochAnswers {
 public:
  void Clear();
  void Keep(const at::Tensor& output, const at::Tensor& labels);
  // Mean loss and accuracy of what was kept.
  EpochScore Score() const;

 private:
  std::vector<at::Tensor> outputs_, labels_;  // batch x classes; batch
};

// The score of an epoch: of its own answers, and of the network on `validation`, `batch` images at a time.
EpochScore Evaluate(const Network& network, const ImageTensors& validation, int64_t batch, const EpochAnswers& answers);

// The times of the completed epochs, each without its evaluation.
std::vector<double> EpochTimes(const LoopResult& loop);
// The scores of the last completed epoch; nothing where there is none.
void RecordScores(const LoopResult& loop, MetricRecorder* recorder);
// parameters_total and parameters_trainable
void RecordParameterCounts(const Network& network, MetricRecorder* recorder);

}  // namespace fleetmark
