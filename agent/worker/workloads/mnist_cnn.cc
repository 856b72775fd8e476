#include <cmath>

#include "agent/worker/data/mnist.h"
#include "agent/worker/data/synthetic.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/kernels/pool_relu_dropout.h"
#include "agent/worker/optim/adadelta.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

// PyTorch's published example (pytorch/examples, mnist/main.py): the same network, initialisation, loss, optimizer and
// schedule.
namespace fleetmark::mnist_cnn {
namespace {

constexpr double kPixelMean = 0.1307, kPixelDeviation = 0.3081;
constexpr double kLearningRate = 1.0, kLearningRateDecay = 0.7;
constexpr double kConvolutionDropout = 0.25, kDenseDropout = 0.5;

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

// Weight and bias of a layer, uniform within 1 / sqrt(fan_in) as PyTorch's layers are made.
struct Layer {
  at::Tensor weight, bias;

  Layer() = default;
  Layer(at::IntArrayRef shape, at::Device device, at::MemoryFormat format) {
    int64_t fan_in = 1;
    for (size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
    const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    weight = at::empty(shape).uniform_(-bound, bound).to(device);
    if (shape.size() == 4) weight = weight.contiguous(format);
    bias = at::empty({shape[0]}).uniform_(-bound, bound).to(device);
    weight.requires_grad_(true);
    bias.requires_grad_(true);
  }
};

struct Network {
  Layer conv1, conv2, fc1, fc2;

  Network() = default;
  Network(at::Device device, at::MemoryFormat format)
      : conv1({32, 1, 3, 3}, device, format),
        conv2({64, 32, 3, 3}, device, format),
        fc1({128, 9216}, device, format),
        fc2({10, 128}, device, format) {}

  std::vector<at::Tensor> Parameters() const {
    std::vector<at::Tensor> parameters;
    for (const Layer* layer : {&conv1, &conv2, &fc1, &fc2}) {
      parameters.push_back(layer->weight);
      parameters.push_back(layer->bias);
    }
    return parameters;
  }

  // Logarithms of the probabilities, batch x 10.
  at::Tensor Forward(const at::Tensor& images, bool training) const {
    at::Tensor x = at::relu(at::conv2d(images, conv1.weight, conv1.bias));
    x = at::relu(at::conv2d(x, conv2.weight, conv2.bias));
    x = at::dropout(at::max_pool2d(x, 2), kConvolutionDropout, training);
    return Classify(at::flatten(x, 1), training);
  }

  // The same for training, with our kernels where they save passes over memory.
  at::Tensor ForwardFused(const at::Tensor& images, uint32_t dropout_seed) const {
    const at::Tensor x = at::conv2d(images, conv1.weight, conv1.bias).relu_();
    const at::Tensor pooled =
        PoolReluDropout(at::conv2d(x, conv2.weight, conv2.bias), kConvolutionDropout, dropout_seed);
    return Classify(at::flatten(pooled, 1), true);
  }

  at::Tensor Classify(const at::Tensor& features, bool training) const {
    at::Tensor x = at::relu(at::linear(features, fc1.weight, fc1.bias));
    x = at::dropout(x, kDenseDropout, training);
    return at::log_softmax(at::linear(x, fc2.weight, fc2.bias), 1);
  }
};

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
    network_ = Network(device, format_);
    optimizer_ = std::make_unique<Adadelta>(network_.Parameters(), Adadelta::Options{.lr = kLearningRate});
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
  Network network_;
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
          {{.name = "epochs", .type = "int", .default_value = "14", .min = 1, .max = 1000, .unit = "epochs",
            .doc = "stop after this many epochs of training"},
           {.name = "data", .type = "choice", .default_value = "mnist", .choices = {"mnist", "synthetic"},
            .doc = "mnist: the real data of the dataset directory; synthetic: made by seed, smaller",
            .defines_board = true},
           BatchParameter(64, 8192),
           {.name = "test_batch", .type = "int", .default_value = "1000", .min = 1, .max = 10000, .unit = "samples",
            .doc = "samples in a step of evaluation"},
           {.name = "kernels", .type = "choice", .default_value = "aten", .choices = {"aten", "fused"},
            .doc = "aten: LibTorch's operations; fused: our own for pooling, ReLU and dropout, CPU only"},
           DtypeParameter({"fp32", "tf32"}), MemoryFormatParameter(), SeedParameter()},
          LoopParameters({.warmup = 20})),
      .metrics = {"samples_per_s", "it_per_s", "total_s", "epoch_s", "loss", "val_loss", "val_accuracy",
                  "parameters_total", "parameters_trainable", "step_s", "first_call_s", "load1", "rss_peak_bytes"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"allocator", "retain"}, {"kernels", "fused"}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<MnistCnn>(); },
  };
}

}  // namespace fleetmark::mnist_cnn
