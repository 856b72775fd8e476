#include "agent/worker/data/mnist.h"
#include "agent/worker/data/synthetic.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/models/mnist_network.h"
#include "agent/worker/optim/adadelta.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

// PyTorch's published example (pytorch/examples, mnist/main.py): the same network, loss, optimizer and schedule.
namespace fleetmark::mnist_cnn {
namespace {

constexpr double kPixelMean = 0.1307, kPixelDeviation = 0.3081;
constexpr double kLearningRate = 1.0, kLearningRateDecay = 0.7;

struct Images {
  at::Tensor pixels;  // count x 1 x 28 x 28, fp32, normalised
  at::Tensor labels;  // count, int64
};

Images Upload(const LabelledImages& images, at::Device device) {
  const auto bytes = [](const std::string& text) {
    return at::from_blob(const_cast<char*>(text.data()), {static_cast<int64_t>(text.size())}, at::kByte);
  };
  constexpr int64_t kSide = LabelledImages::kSide;
  at::Tensor pixels = bytes(images.pixels).to(at::kFloat).view({images.count, 1, kSide, kSide});
  pixels.div_(255).sub_(kPixelMean).div_(kPixelDeviation);
  return {pixels.to(device), bytes(images.labels).to(at::kLong).to(device)};
}

class MnistCnn : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    const auto seed = static_cast<uint32_t>(parameters.Int("seed"));
    const bool is_real = parameters.Text("data") == "mnist";
    FLEETMARK_ASSIGN_OR_RETURN(const ImageDataset data, is_real ? LoadMnist(setup.dataset_dir)
                                                                : StatusOr<ImageDataset>(MakeSyntheticImages(seed)));
    data_ = {{"name", data.name}, {"sha256", data.sha256}};
    device_ = setup.device;
    batch_ = parameters.Int("batch");
    test_batch_ = parameters.Int("test_batch");
    const at::Device device = TorchDevice(device_);
    format_ = parameters.Text("memory_format") == "channels_last" ? at::MemoryFormat::ChannelsLast
                                                                  : at::MemoryFormat::Contiguous;
    fused_ = parameters.Text("kernels") == "fused";
    if (fused_ && (!device.is_cpu() || format_ != at::MemoryFormat::Contiguous)) {
      return Unsupported("kernels=fused needs device cpu and memory_format=contiguous", "take kernels=aten");
    }
    dropout_seed_ = seed * 0x9e3779b9U;
    const bool tf32 = parameters.Text("dtype") == "tf32";
    at::globalContext().setAllowTF32CuBLAS(tf32);
    at::globalContext().setAllowTF32CuDNN(tf32);
    at::manual_seed(seed);
    train_ = Upload(data.train, device);
    test_ = Upload(data.test, device);
    network_ = MnistNetwork(device, format_);
    optimizer_ =
        std::make_unique<Adadelta>(network_.Parameters(), Adadelta::Options{.lr = kLearningRate, .fused = fused_});
    loss_sum_ = at::zeros({}, at::TensorOptions().device(device));
    Synchronize();
    return OkStatus();
  }

  int64_t StepsPerEpoch() const override { return (train_.labels.size(0) + batch_ - 1) / batch_; }

  void BeginEpoch() override {
    order_ = at::randperm(train_.labels.size(0), at::kLong).to(TorchDevice(device_));
    next_ = 0;
    loss_sum_.zero_();
  }

  int64_t Step() override {
    const int64_t count = std::min(batch_, order_.size(0) - next_);
    const at::Tensor chosen = order_.narrow(0, next_, count);
    next_ += count;
    const at::Tensor images = train_.pixels.index_select(0, chosen).contiguous(format_);
    optimizer_->ZeroGrad();
    const at::Tensor output = fused_ ? network_.ForwardFused(images, ++dropout_seed_) : network_.Forward(images, true);
    const at::Tensor loss = at::nll_loss(output, train_.labels.index_select(0, chosen));
    loss.backward();
    optimizer_->Step();
    loss_sum_.add_(loss.detach(), static_cast<double>(count));
    return count;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  EpochScore EndEpoch() override {
    const at::NoGradGuard no_grad;
    const int64_t count = test_.labels.size(0);
    double loss = 0, right = 0;
    for (int64_t first = 0; first < count; first += test_batch_) {
      const int64_t size = std::min(test_batch_, count - first);
      const at::Tensor labels = test_.labels.narrow(0, first, size);
      const at::Tensor output = network_.Forward(test_.pixels.narrow(0, first, size).contiguous(format_), false);
      loss += at::nll_loss(output, labels, {}, at::Reduction::Sum).item<double>();
      right += at::argmax(output, 1).eq(labels).sum().item<double>();
    }
    optimizer_->set_lr(optimizer_->lr() * kLearningRateDecay);
    return {.loss = loss_sum_.item<double>() / static_cast<double>(train_.labels.size(0)),
            .val_loss = loss / static_cast<double>(count),
            .val_accuracy = right / static_cast<double>(count)};
  }

  double LossSoFar() override { return loss_sum_.item<double>(); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(batch_), loop.step_s);
    recorder->RecordRate("it_per_s", static_cast<double>(loop.steps) / loop.measured_s, 1, loop.step_s);
    if (loop.stop_reason == "epochs") recorder->Record("total_s", loop.total_s);
    if (!loop.epochs.empty()) {
      std::vector<double> epoch_s;
      for (const TrainingEpoch& epoch : loop.epochs) epoch_s.push_back(epoch.epoch_s);
      recorder->RecordTimes("epoch_s", Summarize(epoch_s).mean, epoch_s);
      const EpochScore& last = loop.epochs.back().score;
      recorder->Record("loss", *last.loss);
      recorder->Record("val_loss", *last.val_loss);
      recorder->Record("val_accuracy", *last.val_accuracy);
    }
    int64_t parameters = 0;
    for (const at::Tensor& parameter : network_.Parameters()) parameters += parameter.numel();
    recorder->Record("parameters_total", static_cast<double>(parameters));
    recorder->Record("parameters_trainable", static_cast<double>(parameters));
  }

  std::map<std::string, std::string> Data() const override { return data_; }

 private:
  std::string device_;
  int64_t batch_ = 0, test_batch_ = 0, next_ = 0;
  bool fused_ = false;
  uint32_t dropout_seed_ = 0;  // of the step; the fused kernels' mask
  at::MemoryFormat format_ = at::MemoryFormat::Contiguous;
  std::map<std::string, std::string> data_;
  Images train_, test_;
  MnistNetwork network_;
  std::unique_ptr<Adadelta> optimizer_;
  at::Tensor order_;     // of the epoch's samples
  at::Tensor loss_sum_;  // of the epoch so far, on the device: reading it would wait
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "mnist_cnn",
      .version = 1,
      .doc = "trains PyTorch's published MNIST network, 1,199,882 parameters, with Adadelta",
      .parameters = Merge(
          {{.name = "epochs",
            .type = "int",
            .default_value = "14",
            .min = 1,
            .max = 1000,
            .unit = "epochs",
            .doc = "stop after this many epochs of training"},
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
           {.name = "kernels",
            .type = "choice",
            .default_value = "aten",
            .choices = {"aten", "fused"},
            .doc = "aten: LibTorch's operations; fused: our own for pooling, ReLU, dropout and Adadelta, CPU only"},
           DtypeParameter({"fp32", "tf32"}),
           MemoryFormatParameter(),
           SeedParameter()},
          LoopParameters({.warmup = 20})),
      .metrics = {"samples_per_s", "it_per_s", "total_s", "epoch_s", "loss", "val_loss", "val_accuracy",
                  "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}, {"kernels", "fused"}}}, {"cuda", {{"allocator", "retain"}}}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<MnistCnn>(); },
  };
}

}  // namespace fleetmark::mnist_cnn
