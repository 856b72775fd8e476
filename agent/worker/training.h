#pragma once

#include <optional>
#include <vector>

#include "agent/worker/data/labelled_images.h"
#include "agent/worker/models/network.h"
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

// What the parameters `memory_format` and `dtype` ask for; the latter takes effect on the whole process.
at::MemoryFormat MemoryFormatOf(const Parameters& parameters);
void SetMatrixPrecision(const Parameters& parameters);
// Refuses kernels=fused where there are none: off the CPU, or in another memory format than `format` where one is
// named.
Status CheckKernels(const Parameters& parameters, at::Device device, std::optional<at::MemoryFormat> format);

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
