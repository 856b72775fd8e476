#include <algorithm>

#include "agent/worker/allocation_counter.h"
#include "agent/worker/data/cifar10.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/models/lenet.h"
#include "agent/worker/optim/sgd.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/training.h"
#include "agent/worker/workload.h"

// The LeNet of "GPU vs CPU benchmarks with Flux.jl": an epoch is 50 batches of 1000 that lie on the device, in the same
// order each time, and its best time counts.
namespace fleetmark::cifar_lenet {
namespace {

constexpr double kLearningRate = 0.01;
constexpr double kPixelMean = 0, kPixelDeviation = 1;  // pixels from 0 to 1, as Flux.jl's data sets are
constexpr int64_t kTestBatch = 1000;

class CifarLeNet : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    const at::Device device = TorchDevice(setup.device);
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device, at::MemoryFormat::ChannelsLast));
    batch_ = parameters.Int("batch");
    batches_ = parameters.Int("batches");
    device_ = setup.device;
    const at::MemoryFormat format = MemoryFormatOf(parameters);
    fused_ = parameters.Text("kernels") == "fused";
    // In the last step of the warm-up that can be told before: from the second on every step allocates the same.
    counted_step_ = std::min<int64_t>(parameters.Int("warmup"), 2);
    FLEETMARK_ASSIGN_OR_RETURN(const ImageDataset data,
                               LoadCifarData(parameters, setup.dataset_dir, batch_ * batches_, kTestBatch));
    data_ = {{"name", data.name}, {"sha256", data.sha256}};
    dtype_ = parameters.Text("dtype");
    train_ = ToTensors(data.train, kPixelMean, kPixelDeviation, device, format);
    test_ = ToTensors(data.test, kPixelMean, kPixelDeviation, device, format);
    network_ = std::make_unique<LeNet>(device, format);
    optimizer_ = std::make_unique<Sgd>(network_->parameters(), OptimizerOptions(parameters, kLearningRate));
    Synchronize();
    return OkStatus();
  }

  int64_t StepsPerEpoch() const override { return batches_; }

  void BeginEpoch() override {
    next_ = 0;
    answers_.Clear();
  }

  int64_t Step() override {
    if (++step_ == counted_step_) {
      const AllocationCounter counter;
      Train();
      alloc_count_ = counter.count();
      alloc_bytes_ = counter.bytes();
    } else {
      Train();
    }
    return batch_;
  }

  void Synchronize() override { SynchronizeDevice(device_); }
  EpochScore EndEpoch() override { return Evaluate(*network_, test_, kTestBatch, answers_); }
  double LossSoFar() override { return *answers_.Score().loss; }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    if (!loop.epochs.empty()) recorder->RecordBestTime("epoch_s", EpochTimes(loop));
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(batch_), loop.step_s);
    recorder->RecordRate("it_per_s", static_cast<double>(loop.steps) / loop.measured_s, 1, loop.step_s);
    RecordScores(loop, recorder);
    recorder->Record("alloc_count", static_cast<double>(batches_ * alloc_count_));
    recorder->Record("alloc_bytes", static_cast<double>(batches_ * alloc_bytes_));
    RecordParameterCounts(*network_, recorder);
  }

  std::map<std::string, std::string> Data() const override { return data_; }

 private:
  void Train() {
    const at::Tensor images = train_.pixels.narrow(0, next_, batch_), labels = train_.labels.narrow(0, next_, batch_);
    next_ += batch_;
    const auto forward = [&] { return fused_ ? network_->ForwardFused(images) : network_->Forward(images, true); };
    answers_.Keep(TrainOnBatch(forward, labels, dtype_, optimizer_.get()).output, labels);
  }

  std::string device_, dtype_;
  int64_t batch_ = 0, batches_ = 0, next_ = 0, step_ = 0, counted_step_ = 0;
  int64_t alloc_count_ = 0, alloc_bytes_ = 0;  // of one step
  bool fused_ = false;
  std::map<std::string, std::string> data_;
  ImageTensors train_, test_;
  std::unique_ptr<LeNet> network_;
  std::unique_ptr<Sgd> optimizer_;
  EpochAnswers answers_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "cifar_lenet",
      .version = 1,
      .doc = "trains Flux.jl's published LeNet, 39,558 parameters, on batches of 1000; the best epoch counts",
      .parameters = Merge({EpochsParameter(10),
                           CifarDataParameter(),
                           BatchParameter(1000, 10000),
                           {.name = "batches",
                            .type = "int",
                            .default_value = "50",
                            .min = 1,
                            .max = 1000,
                            .unit = "steps",
                            .doc = "batches in an epoch, all of which lie on the device",
                            .defines_board = true},
                           KernelsParameter("convolution with ReLU and pooling, and for momentum"),
                           DtypeParameter(),
                           MemoryFormatParameter(),
                           SeedParameter()},
                          LoopParameters({.warmup = 5})),
      .metrics = {"epoch_s", "samples_per_s", "it_per_s", "loss", "accuracy", "val_loss", "val_accuracy", "alloc_count",
                  "alloc_bytes", "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = ChannelsLastTuning(),
      .fused_is_fp32 = true,
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<CifarLeNet>(); },
  };
}

}  // namespace fleetmark::cifar_lenet
