#include "agent/worker/training.h"

#include <algorithm>
#include <vector>

#include "agent/worker/failure.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"

namespace fleetmark {
namespace {

at::Tensor Bytes(const std::string& text) {
  return at::from_blob(const_cast<char*>(text.data()), {static_cast<int64_t>(text.size())}, at::kByte);
}

void RecordScore(const char* name, const std::optional<double>& value, MetricRecorder* recorder) {
  if (value) recorder->Record(name, *value);
}

int64_t Count(const std::vector<at::Tensor>& tensors) {
  int64_t count = 0;
  for (const at::Tensor& tensor : tensors) count += tensor.numel();
  return count;
}

Status CheckKernels(const Parameters& parameters, at::Device device, std::optional<at::MemoryFormat> format) {
  if (parameters.Text("kernels") != "fused") return OkStatus();
  const bool is_laid_out = !format || (MemoryFormatOf(parameters) == *format && parameters.Text("dtype") == "fp32");
  if (device.is_cpu() && is_laid_out) return OkStatus();
  std::string needs = "kernels=fused needs device cpu";
  if (format) {
    needs += std::string(", memory_format=") +
             (*format == at::MemoryFormat::ChannelsLast ? "channels_last" : "contiguous") + " and dtype=fp32";
  }
  return Unsupported(needs, "take kernels=aten");
}

}  // namespace

ImageTensors ToTensors(const LabelledImages& images, double mean, double deviation, at::Device device,
                       at::MemoryFormat format) {
  constexpr double kLargestByte = 255;
  at::Tensor pixels =
      Bytes(images.pixels).to(at::kFloat).view({images.count, images.channels, images.side, images.side});
  pixels.div_(kLargestByte).sub_(mean).div_(deviation);
  return {pixels.contiguous(format).to(device), Bytes(images.labels).to(at::kLong).to(device)};
}

at::MemoryFormat MemoryFormatOf(const Parameters& parameters) {
  return parameters.Text("memory_format") == "channels_last" ? at::MemoryFormat::ChannelsLast
                                                             : at::MemoryFormat::Contiguous;
}

Status BeginTraining(const Parameters& parameters, at::Device device, std::optional<at::MemoryFormat> fused_format) {
  FLEETMARK_RETURN_IF_ERROR(CheckKernels(parameters, device, fused_format));
  FLEETMARK_RETURN_IF_ERROR(CheckArithmetic(device, parameters.Text("dtype")));
  SetMatrixPrecision(parameters.Text("dtype"));
  at::manual_seed(static_cast<uint64_t>(parameters.Int("seed")));
  return OkStatus();
}

Optimizer::Options OptimizerOptions(const Parameters& parameters, double lr) {
  return {
      .lr = lr, .fused = parameters.Text("kernels") == "fused", .gradient_scale = LossScale(parameters.Text("dtype"))};
}

TrainedStep TrainOnBatch(const std::function<at::Tensor()>& forward, const at::Tensor& labels, const std::string& dtype,
                         Optimizer* optimizer) {
  optimizer->ZeroGrad();
  TrainedStep step;
  {
    const Autocast autocast(labels.device(), dtype);
    step.output = forward();
    step.loss = at::nll_loss(step.output, labels);
  }
  const double scale = optimizer->gradient_scale();
  (scale == 1 ? step.loss : step.loss.mul(scale)).backward();
  optimizer->Step();
  step.loss = step.loss.detach();
  return step;
}

void EpochAnswers::Clear() {
  outputs_.clear();
  labels_.clear();
}

void EpochAnswers::Keep(const at::Tensor& output, const at::Tensor& labels) {
  outputs_.push_back(output.detach());
  labels_.push_back(labels);
}

EpochScore EpochAnswers::Score() const {
  const at::NoGradGuard no_grad;
  const at::Tensor outputs = at::cat(outputs_), labels = at::cat(labels_);
  return {.loss = at::nll_loss(outputs, labels).item<double>(),
          .accuracy = at::argmax(outputs, 1).eq(labels).to(at::kDouble).mean().item<double>()};
}

EpochScore Evaluate(const Network& network, const ImageTensors& validation, int64_t batch,
                    const EpochAnswers& answers) {
  const at::NoGradGuard no_grad;
  const int64_t count = validation.labels.size(0);
  double loss = 0, right = 0;
  for (int64_t first = 0; first < count; first += batch) {
    const int64_t size = std::min(batch, count - first);
    const at::Tensor labels = validation.labels.narrow(0, first, size);
    const at::Tensor output = network.Forward(validation.pixels.narrow(0, first, size), false);
    loss += at::nll_loss(output, labels, {}, at::Reduction::Sum).item<double>();
    right += at::argmax(output, 1).eq(labels).sum().item<double>();
  }
  EpochScore score = answers.Score();
  score.val_loss = loss / static_cast<double>(count);
  score.val_accuracy = right / static_cast<double>(count);
  return score;
}

std::vector<double> EpochTimes(const LoopResult& loop) {
  std::vector<double> epoch_s;
  for (const TrainingEpoch& epoch : loop.epochs) epoch_s.push_back(epoch.epoch_s);
  return epoch_s;
}

void RecordScores(const LoopResult& loop, MetricRecorder* recorder) {
  if (loop.epochs.empty()) {
    RecordScore("loss", loop.loss_so_far, recorder);
    return;
  }
  const EpochScore& last = loop.epochs.back().score;
  RecordScore("loss", last.loss, recorder);
  RecordScore("accuracy", last.accuracy, recorder);
  RecordScore("val_loss", last.val_loss, recorder);
  RecordScore("val_accuracy", last.val_accuracy, recorder);
}

void RecordParameterCounts(const Network& network, MetricRecorder* recorder) {
  const int64_t trainable = Count(network.parameters());
  recorder->Record("parameters_total", static_cast<double>(trainable + Count(network.buffers())));
  recorder->Record("parameters_trainable", static_cast<double>(trainable));
}

}  // namespace fleetmark
