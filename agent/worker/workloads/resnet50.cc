#include "agent/worker/models/resnet50.h"

#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include "agent/worker/device.h"
#include "agent/worker/fixed_batch.h"
#include "agent/worker/optim/sgd.h"
#include "agent/worker/settings.h"
#include "agent/worker/training.h"

// The training step that vendors and papers quote images a second of, on random images that lie on the device.
namespace fleetmark::resnet50 {
namespace {

class ResNet50Training : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    constexpr double kLearningRate = 0.01;  // .1 makes a first step on random images diverge
    const Parameters& parameters = setup.parameters;
    device_ = setup.device;
    const at::Device device = TorchDevice(device_);
    const at::MemoryFormat format = MemoryFormatOf(parameters);
    const int64_t batch = parameters.Int("batch");
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device));
    auto network = std::make_unique<ResNet50>(device, format);
    auto optimizer = std::make_unique<Sgd>(network->parameters(), OptimizerOptions(parameters, kLearningRate));
    training_.emplace(
        FixedBatch::Parts{std::move(network), std::move(optimizer),
                          at::randn({batch, 3, ResNet50::kSide, ResNet50::kSide}).contiguous(format).to(device),
                          at::randint(ResNet50::kClasses, {batch}, at::kLong).to(device), parameters.Text("dtype")});
    Synchronize();
    return OkStatus();
  }

  int64_t Step() override {
    training_->Step();
    return training_->samples();
  }
  void Synchronize() override { SynchronizeDevice(device_); }
  double LossSoFar() override { return training_->Loss(); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(training_->samples()), loop.step_s);
    training_->RecordMetrics(loop, recorder);
  }

 private:
  std::string device_;
  std::optional<FixedBatch> training_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "resnet50",
      .version = 1,
      .doc = "trains ResNet-50, 25,557,032 parameters, on random images of 224 x 224",
      .parameters = Merge({BatchParameter(32, 4096), KernelsParameter("SGD"), DtypeParameter(), MemoryFormatParameter(),
                           SeedParameter()},
                          LoopParameters({.duration_s = 30, .warmup = 2})),
      .metrics = {"samples_per_s", "tflop_per_s", "ceiling_share", "loss", "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = ChannelsLastTuning(),
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<ResNet50Training>(); },
  };
}

}  // namespace fleetmark::resnet50
