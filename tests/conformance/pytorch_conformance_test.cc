#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "agent/worker/models/mnist_network.h"
#include "agent/worker/optim/adadelta.h"

namespace fleetmark {
namespace {

constexpr int kSteps = 8;
constexpr int64_t kBatch = 16;

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

TEST(PyTorchConformance, TheNetworkTrainsAsPyTorchTrainsIt) {
  const nlohmann::json reference = Reference();
  const MnistNetwork network(at::kCPU, at::MemoryFormat::Contiguous);
  {
    const at::NoGradGuard no_grad;
    for (at::Tensor parameter : network.Parameters()) {
      const int64_t fan_in = parameter.dim() > 1 ? parameter[0].numel() : 100;
      parameter.copy_(Sines(parameter.sizes(), 1 / std::sqrt(static_cast<double>(fan_in))));
    }
  }
  const at::Tensor images = Sines({kBatch, 1, 28, 28}, 1), labels = at::arange(kBatch, at::kLong).remainder(10);
  Adadelta optimizer(network.Parameters(), {});
  for (int step = 0; step < kSteps; ++step) {
    optimizer.ZeroGrad();
    const at::Tensor loss = at::nll_loss(network.Forward(images, false), labels);
    loss.backward();
    optimizer.Step();
    const double expected = reference["losses"][static_cast<size_t>(step)];
    EXPECT_NEAR(loss.item<double>(), expected, 1e-3 * expected) << "step " << step;
  }
  const std::vector<at::Tensor> parameters = network.Parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double norm = reference["norms"][i];
    EXPECT_NEAR(parameters[i].norm().item<double>(), norm, 1e-3 * norm) << "parameter " << i;
  }
}

}  // namespace
}  // namespace fleetmark
