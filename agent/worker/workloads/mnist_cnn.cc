#include "agent/worker/data/mnist.h"
#include "agent/worker/data/synthetic.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/models/mnist_network.h"
#include "agent/worker/optim/adadelta.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/training.h"
#include "agent/worker/workload.h"

// PyTorch's published example (pytorch/examples, mnist/main.py): the same network, loss, optimizer and schedule.
namespace fleetmark::mnist_cnn {
namespace {

constexpr double kPixelMean = 0.1307, kPixelDeviation = 0.3081;
constexpr SyntheticShape kSynthetic = {.channels = 1, .side = 28, .train = 6400, .test = 1000};
constexpr double kLearningRate = 1.0, kLearningRateDecay = 0.7;

class MnistCnn : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    const at::Device device = TorchDevice(setup.device);
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device, at::MemoryFormat::Contiguous));
    const auto seed = static_cast<uint32_t>(parameters.Int("seed"));
    const bool is_real = parameters.Text("data") == "mnist";
    FLEETMARK_ASSIGN_OR_RETURN(
        const ImageDataset data,
        is_real ? LoadMnist(setup.dataset_dir) : StatusOr<ImageDataset>(MakeSyntheticImages(kSynthetic, seed)));
    data_ = {{"name", data.name}, {"sha256", data.sha256}};
    device_ = setup.device;
    batch_ = parameters.Int("batch");
    test_batch_ = parameters.Int("test_batch");
    format_ = MemoryFormatOf(parameters);
    fused_ = parameters.Text("kernels") == "fused";
    dropout_seed_ = seed * 0x9e3779b9U;
    dtype_ = parameters.Text("dtype");
    train_ = ToTensors(data.train, kPixelMean, kPixelDeviation, device, at::MemoryFormat::Contiguous);
    test_ = ToTensors(data.test, kPixelMean, kPixelDeviation, device, format_);
    network_ = std::make_unique<MnistNetwork>(device, format_);
    optimizer_ = std::make_unique<Adadelta>(network_->parameters(), OptimizerOptions(parameters, kLearningRate));
    Synchronize();
    return OkStatus();
  }

  int64_t StepsPerEpoch() const override { return (train_.labels.size(0) + batch_ - 1) / batch_; }

  void BeginEpoch() override {
    order_ = at::randperm(train_.labels.size(0), at::kLong).to(TorchDevice(device_));
    next_ = 0;
    answers_.Clear();
  }

  int64_t Step() override {
    const int64_t count = std::min(batch_, order_.size(0) - next_);
    const at::Tensor chosen = order_.narrow(0, next_, count);
    next_ += count;
    const at::Tensor images = train_.pixels.index_select(0, chosen).contiguous(format_);
    const at::Tensor labels = train_.labels.index_select(0, chosen);
    const auto forward = [&] {
      return fused_ ? network_->ForwardFused(images, ++dropout_seed_) : network_->Forward(images, true);
    };
    answers_.Keep(TrainOnBatch(forward, labels, dtype_, optimizer_.get()).output, labels);
    return count;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  EpochScore EndEpoch() override {
    optimizer_->set_lr(optimizer_->lr() * kLearningRateDecay);
    return Evaluate(*network_, test_, test_batch_, answers_);
  }

  double LossSoFar() override { return *answers_.Score().loss; }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(batch_), loop.step_s);
    recorder->RecordRate("it_per_s", static_cast<double>(loop.steps) / loop.measured_s, 1, loop.step_s);
    if (loop.stop_reason == "epochs") recorder->Record("total_s", loop.total_s);
    if (!loop.epochs.empty()) {
      const std::vector<double> epoch_s = EpochTimes(loop);
      recorder->RecordTimes("epoch_s", Summarize(epoch_s).mean, epoch_s);
    }
    RecordScores(loop, recorder);
    RecordParameterCounts(*network_, recorder);
  }

  std::map<std::string, std::string> Data() const override { return data_; }

 private:
  std::string device_, dtype_;
  int64_t batch_ = 0, test_batch_ = 0, next_ = 0;
  bool fused_ = false;
  uint32_t dropout_seed_ = 0;  // of the step; the fused kernels' mask
  at::MemoryFormat format_ = at::MemoryFormat::Contiguous;
  std::map<std::string, std::string> data_;
  ImageTensors train_, test_;
  std::unique_ptr<MnistNetwork> network_;
  std::unique_ptr<Adadelta> optimizer_;
  at::Tensor order_;  // of the epoch's samples
  EpochAnswers answers_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "mnist_cnn",
      .version = 1,
      .doc = "trains PyTorch's published MNIST network, 1,199,882 parameters, with Adadelta",
      .parameters = Merge({EpochsParameter(14),
                           {.name = "data",
                            .type = "choice",
                            .default_value = "mnist",
                            .choices = {"mnist", "synthetic"},
                            .doc = "mnist: the real data of the dataset directory; synthetic: made by seed, smaller",
                            .defines_board = true},
                           BatchParameter(64, 8192),
                           {.name = "test_batch",
                            .type = "int",
                            .default_value = "1000",
                            .min = 1,
                            .max = 10000,
                            .unit = "samples",
                            .doc = "samples in a step of evaluation"},
                           KernelsParameter("pooling, ReLU, dropout and Adadelta"),
                           DtypeParameter(),
                           MemoryFormatParameter(),
                           SeedParameter()},
                          LoopParameters({.warmup = 20})),
      .metrics = {"samples_per_s", "it_per_s", "total_s", "epoch_s", "loss", "accuracy", "val_loss", "val_accuracy",
                  "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}, {"kernels", "fused"}}}, {"cuda", {{"allocator", "retain"}}}},
      .fused_is_fp32 = true,
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<MnistCnn>(); },
  };
}

}  // namespace fleetmark::mnist_cnn
