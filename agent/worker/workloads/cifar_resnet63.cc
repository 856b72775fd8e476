#include "agent/worker/clock_seconds.h"
#include "agent/worker/data/cifar10.h"
#include "agent/worker/device.h"
#include "agent/worker/fixed_batch.h"
#include "agent/worker/models/resnet63.h"
#include "agent/worker/optim/adam.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/training.h"
#include "agent/worker/workload.h"

// "What's the speed difference between running an ML job on GPU vs CPU?": a script calls the training of one batch four
// times, and calls 3 and 4 count. One run is one script; `--repeat 3` makes the three of the article.
namespace fleetmark::cifar_resnet63 {
namespace {

constexpr double kLearningRate = 1e-3;
constexpr double kPixelMean = 0, kPixelDeviation = 1;
// So many calls are worth a sentence each.
constexpr size_t kMostCallsTold = 8;

class CifarResNet63 : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    const at::Device device = TorchDevice(setup.device);
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device));
    const int64_t batch = parameters.Int("batch");
    device_ = setup.device;
    const at::MemoryFormat format = MemoryFormatOf(parameters);
    FLEETMARK_ASSIGN_OR_RETURN(const ImageDataset data, LoadCifarData(parameters, setup.dataset_dir, batch, 0));
    data_ = {{"name", data.name}, {"sha256", data.sha256}};
    ImageTensors tensors = ToTensors(data.train, kPixelMean, kPixelDeviation, device, format);
    auto network = std::make_unique<ResNet63>(device, format);
    auto optimizer = std::make_unique<Adam>(network->parameters(), OptimizerOptions(parameters, kLearningRate));
    training_.emplace(FixedBatch::Parts{std::move(network), std::move(optimizer), std::move(tensors.pixels),
                                        std::move(tensors.labels), parameters.Text("dtype")});
    Synchronize();
    return OkStatus();
  }

  // A call ends with the loss on the host, as Keras's does.
  int64_t Step() override {
    const double process = ClockSeconds(CLOCK_PROCESS_CPUTIME_ID), wall = ClockSeconds(CLOCK_MONOTONIC);
    training_->Step();
    training_->Loss();
    calls_.push_back({ClockSeconds(CLOCK_MONOTONIC) - wall, ClockSeconds(CLOCK_PROCESS_CPUTIME_ID) - process});
    return training_->samples();
  }

  void Synchronize() override { SynchronizeDevice(device_); }
  double LossSoFar() override { return training_->Loss(); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    std::vector<double> process_s;
    for (auto call = calls_.end() - loop.steps; call != calls_.end(); ++call) process_s.push_back(call->process_s);
    recorder->RecordTimes("wall_s", loop.measured_s / static_cast<double>(loop.steps), loop.step_s);
    recorder->RecordTimes("process_s", Summarize(process_s).mean, process_s);
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(training_->samples()), loop.step_s);
    training_->RecordMetrics(loop, recorder);
  }

  std::map<std::string, std::string> Data() const override { return data_; }

  std::vector<std::string> Notes() const override {
    std::vector<std::string> notes;
    for (size_t i = 0; i < calls_.size() && calls_.size() <= kMostCallsTold; ++i) {
      notes.push_back("call " + std::to_string(i + 1) + ": " + std::to_string(calls_[i].wall_s) + " s, " +
                      std::to_string(calls_[i].process_s) + " s of process time");
    }
    return notes;
  }

 private:
  struct Call {
    double wall_s, process_s;
  };

  std::string device_;
  std::map<std::string, std::string> data_;
  std::optional<FixedBatch> training_;
  std::vector<Call> calls_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "cifar_resnet63",
      .version = 1,
      .doc =
          "trains a Keras ResNet of 63 convolutions, 15,206,538 parameters, on one batch four times; calls 3 and 4 "
          "count",
      .parameters = Merge({CifarDataParameter(), BatchParameter(64, 4096), KernelsParameter("Adam"), DtypeParameter(),
                           MemoryFormatParameter(), SeedParameter()},
                          LoopParameters({.steps = 2, .warmup = 2})),
      .metrics = {"wall_s", "process_s", "samples_per_s", "tflop_per_s", "ceiling_share", "loss", "parameters_total",
                  "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = ChannelsLastTuning(),
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<CifarResNet63>(); },
  };
}

}  // namespace fleetmark::cifar_resnet63
