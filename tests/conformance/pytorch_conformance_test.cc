#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "agent/worker/models/gpt2.h"
#include "agent/worker/models/image_cnn.h"
#include "agent/worker/models/lenet.h"
#include "agent/worker/models/mnist_network.h"
#include "agent/worker/models/resnet50.h"
#include "agent/worker/models/resnet63.h"
#include "agent/worker/optim/adadelta.h"
#include "agent/worker/optim/adam.h"
#include "agent/worker/optim/sgd.h"

namespace fleetmark {
namespace {

nlohmann::json Reference() {
  FILE* pipe =
      popen("'" FLEETMARK_PYTHON "' '" FLEETMARK_SCRIPT "' '" FLEETMARK_NETWORK_DIRECTORY "' 2>/dev/null", "r");
  std::string text;
  char buffer[4096];
  for (size_t count = 0; (count = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, count);
  EXPECT_EQ(pclose(pipe), 0);
  return nlohmann::json::parse(text);
}

at::Tensor Sines(at::IntArrayRef shape, double scale) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return at::sin(at::arange(count, at::kDouble).mul(0.7)).mul(scale).to(at::kFloat).reshape(shape);
}

struct Case {
  const char* name;
  std::unique_ptr<Network> (*network)(at::MemoryFormat format);
  at::MemoryFormat format;
  // One training step's forward pass, and the optimizer.
  at::Tensor (*forward)(const Network& network, const at::Tensor& images);
  std::unique_ptr<Optimizer> (*optimizer)(const Network& network);
  int64_t batch;
  std::vector<int64_t> image;
  int classes = 10;
  double norm_tolerance = 1e-3;
  double counted_twice = 0;  // by PyTorch, of arithmetic a sample: what attention does with the future
};

template <typename T>
std::unique_ptr<Network> Make(at::MemoryFormat format) {
  return std::make_unique<T>(at::kCPU, format);
}
constexpr int64_t kContext = 24;
template <Gpt2::Attention attention>
std::unique_ptr<Network> MakeGpt2(at::MemoryFormat /*format*/) {
  return std::make_unique<Gpt2>(at::kCPU, kContext, attention);
}
template <bool training>
at::Tensor Forward(const Network& network, const at::Tensor& images) {
  return network.Forward(images, training);
}
at::Tensor ForwardFused(const Network& network, const at::Tensor& images) {
  return dynamic_cast<const LeNet&>(network).ForwardFused(images);
}
template <typename T, bool fused>
std::unique_ptr<Optimizer> MakeOptimizer(const Network& network) {
  constexpr double kRate = std::is_same_v<T, Adadelta> ? 1 : std::is_same_v<T, Sgd> ? 0.01 : 1e-3;
  return std::make_unique<T>(network.parameters(), Optimizer::Options{.lr = kRate, .fused = fused});
}

constexpr at::MemoryFormat kFirst = at::MemoryFormat::Contiguous, kLast = at::MemoryFormat::ChannelsLast;
// Products of queries with keys, and of those with values, that lie in the future: forward and twice backward.
constexpr double kFuture = 3.0 * 2 * 12 * 2 * 768 * kContext * (kContext - 1) / 2;
// Adam makes full steps of gradients that are rounding errors, which the many weights of image_cnn_58m show in their
// norm. MNIST's network without dropout, as the script has it; the other's masks come from the same generator and seed.
const Case kCases[] = {
    {"mnist_cnn", Make<MnistNetwork>, kFirst, Forward<false>, MakeOptimizer<Adadelta, false>, 16, {1, 28, 28}},
    {"cifar_lenet", Make<LeNet>, kFirst, Forward<true>, MakeOptimizer<Sgd, false>, 16, {3, 32, 32}},
    {"cifar_lenet", Make<LeNet>, kLast, ForwardFused, MakeOptimizer<Sgd, true>, 16, {3, 32, 32}},
    {"cifar_resnet63", Make<ResNet63>, kFirst, Forward<true>, MakeOptimizer<Adam, false>, 4, {3, 32, 32}},
    {"cifar_resnet63", Make<ResNet63>, kLast, Forward<true>, MakeOptimizer<Adam, true>, 4, {3, 32, 32}},
    {"image_cnn_58m", Make<ImageCnn>, kFirst, Forward<true>, MakeOptimizer<Adam, false>, 4, {3, 256, 256}, 4, 1e-2},
    {"resnet50", Make<ResNet50>, kLast, Forward<true>, MakeOptimizer<Sgd, true>, 2, {3, 224, 224}, 1000},
    {"transformer_lm",
     MakeGpt2<Gpt2::Attention::kFused>,
     kFirst,
     Forward<true>,
     MakeOptimizer<Adam, true>,
     2,
     {kContext},
     50257,
     1e-2,
     kFuture},
    {"transformer_lm",
     MakeGpt2<Gpt2::Attention::kSeparate>,
     kFirst,
     Forward<true>,
     MakeOptimizer<Adam, false>,
     2,
     {kContext},
     50257,
     1e-2,
     kFuture},
};

at::Tensor Inputs(const Case& test) {
  std::vector<int64_t> shape = test.image;
  shape.insert(shape.begin(), test.batch);
  if (test.image.size() > 1) return Sines(shape, 1).contiguous(test.format);
  return at::arange(test.batch * test.image[0], at::kLong).mul(7919).remainder(test.classes).reshape(shape);
}

void ExpectSameTraining(const Case& test, const nlohmann::json& reference) {
  const std::unique_ptr<Network> network = test.network(test.format);
  const double offset = network->buffers().empty() ? 0 : 0.5;  // as the script has it
  {
    const at::NoGradGuard no_grad;
    for (at::Tensor parameter : network->parameters()) {
      const bool is_weight = parameter.dim() > 1;
      const double scale = is_weight ? 1 / std::sqrt(static_cast<double>(parameter[0].numel())) : 0.1;
      parameter.copy_(Sines(parameter.sizes(), scale).add_(is_weight ? 0 : offset));
    }
  }
  const double flops = reference["flops"];
  EXPECT_NEAR(network->TrainingFlops() + test.counted_twice, flops, 1e-6 * flops);
  const at::Tensor inputs = Inputs(test);
  const int64_t rows = test.image.size() == 1 ? inputs.numel() : test.batch;
  const at::Tensor labels = at::arange(rows, at::kLong).remainder(test.classes);
  at::manual_seed(7);
  const std::unique_ptr<Optimizer> optimizer = test.optimizer(*network);
  const size_t steps = reference["losses"].size();
  const bool trains = steps > 1;  // one step is the forward pass alone
  for (size_t step = 0; step < steps; ++step) {
    at::AutoGradMode wants_gradients(trains);
    optimizer->ZeroGrad();
    const at::Tensor loss = at::nll_loss(test.forward(*network, inputs), labels);
    const double expected = reference["losses"][step];
    EXPECT_NEAR(loss.item<double>(), expected, (step < 3 ? 1e-4 : 1e-3) * expected) << "step " << step;
    if (!trains) return;
    loss.backward();
    optimizer->Step();
  }
  for (size_t i = 0; i < network->parameters().size(); ++i) {
    const double norm = reference["norms"][i];
    EXPECT_NEAR(network->parameters()[i].norm().item<double>(), norm, test.norm_tolerance * norm) << "parameter " << i;
  }
}

TEST(PyTorchConformance, TheNetworksTrainAsPyTorchTrainsThem) {
  at::set_num_threads(1);  // as the script has it
  const nlohmann::json reference = Reference();
  for (const Case& test : kCases) {
    SCOPED_TRACE(std::string(test.name) + (test.format == kLast ? ", channels last" : ""));
    ExpectSameTraining(test, reference[test.name]);
  }
}

}  // namespace
}  // namespace fleetmark
