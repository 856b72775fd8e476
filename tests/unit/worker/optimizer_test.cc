#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "agent/worker/optim/adadelta.h"
#include "agent/worker/optim/adam.h"
#include "agent/worker/optim/sgd.h"

namespace fleetmark {
namespace {

at::Tensor Leaf(const std::vector<float>& values) { return at::tensor(values).requires_grad_(true); }

// By operations and in one pass.
class OptimizerValues : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Fused, OptimizerValues, testing::Bool());

TEST_P(OptimizerValues, AdadeltasFirstStepMatchesHandComputation) {
  // v = .1 x .25; d = sqrt(1e-6) / sqrt(.025 + 1e-6) x .5 = .0031622144; w = 1 - d.
  at::Tensor weight = Leaf({1});
  Adadelta optimizer({weight}, {.lr = 1, .fused = GetParam()});
  weight.mutable_grad() = at::tensor({0.5F});
  optimizer.Step();
  EXPECT_FLOAT_EQ(weight.item<float>(), 1 - 0.0031622144F);
}

// Three steps from (1, -2, .5).
template <typename T>
void ExpectSteps(const Optimizer::Options& options, const std::vector<std::vector<double>>& expected) {
  const std::vector<std::vector<float>> gradients = {{.5, -.25, 3}, {.1F, .2F, -.3F}, {0, 1, 1e-4F}};
  at::Tensor weight = Leaf({1, -2, .5});
  T optimizer({weight}, options);
  for (size_t step = 0; step < gradients.size(); ++step) {
    weight.mutable_grad() = at::tensor(gradients[step]);
    optimizer.Step();
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(weight[i].item<double>(), expected[step][static_cast<size_t>(i)], 1e-6) << step << " " << i;
    }
  }
}

TEST_P(OptimizerValues, ThreeStepsMatchPyTorch) {
  // Computed by torch.optim of PyTorch 2.13 in fp64.
  ExpectSteps<Adadelta>({.lr = 1, .fused = GetParam()}, {{0.996837785583, -1.996837975292, 0.496837724097},
                                                         {0.995915283228, -1.999720710120, 0.497306530911},
                                                         {0.995915283228, -2.004733838542, 0.497306369434}});
  ExpectSteps<Adam>({.lr = 0.1, .fused = GetParam()}, {{0.900000002, -1.900000004, 0.400000000333},
                                                       {0.819695906385, -1.894187499527, 0.340735149186},
                                                       {0.757620608115, -1.953662451668, 0.294921126633}});
  ExpectSteps<Sgd>({.lr = 0.1, .fused = GetParam()},
                   {{0.95, -1.975, 0.2}, {0.895, -1.9725, -0.04}, {0.8455, -2.07025, -0.25601}});
}

TEST(Optimizer, GradientsThatWereScaledUpAreScaledDown) {
  at::Tensor plain = Leaf({1}), scaled = Leaf({1});
  Adam optimizer({plain}, {.lr = 0.1}), other({scaled}, {.lr = 0.1, .gradient_scale = 1024});
  plain.mutable_grad() = at::tensor({0.5F});
  scaled.mutable_grad() = at::tensor({512.0F});
  optimizer.Step();
  other.Step();
  EXPECT_EQ(plain.item<float>(), scaled.item<float>());
}

TEST(Optimizer, TheLearningRateScalesTheStep) {
  at::Tensor whole = Leaf({1}), half = Leaf({1});
  Adadelta first({whole}, {.lr = 1}), second({half}, {.lr = 1});
  second.set_lr(0.5);
  whole.mutable_grad() = at::tensor({2.0F});
  half.mutable_grad() = at::tensor({2.0F});
  first.Step();
  second.Step();
  EXPECT_NEAR(1 - half.item<double>(), (1 - whole.item<double>()) / 2, 1e-7);
}

TEST(Optimizer, GradientsMayHaveAnotherLayoutThanTheirParameter) {
  const at::Tensor values = at::arange(2 * 3 * 4 * 5, at::kFloat).view({2, 3, 4, 5});
  at::Tensor plain = values.clone().requires_grad_(true);
  at::Tensor last = values.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  const at::Tensor gradient = at::sin(values);
  plain.mutable_grad() = gradient;
  last.mutable_grad() = gradient;  // contiguous, whereas the parameter is channels_last
  Adadelta({plain}, {.lr = 1, .fused = true}).Step();
  Adadelta({last}, {.lr = 1, .fused = true}).Step();
  EXPECT_TRUE(at::equal(plain.detach(), last.detach()));
  EXPECT_FALSE(at::equal(plain.detach(), values));
}

TEST(Optimizer, ManyElementsAreAllUpdatedByAnyNumberOfThreads) {
  const int64_t count = 1000003;
  at::Tensor weight = at::ones({count}).requires_grad_(true);
  Adadelta optimizer({weight}, {.lr = 1, .fused = true});
  weight.mutable_grad() = at::full({count}, 0.5);
  optimizer.Step();
  EXPECT_TRUE(at::allclose(weight.detach(), at::full({count}, 1 - 0.0031622144), 0, 1e-6));
}

TEST(Optimizer, AParameterWithoutGradientIsLeftAlone) {
  at::Tensor weight = Leaf({1});
  Adadelta optimizer({weight}, {.lr = 1});
  optimizer.Step();
  EXPECT_EQ(weight.item<float>(), 1);
  weight.mutable_grad() = at::tensor({1.0F});
  optimizer.ZeroGrad();
  EXPECT_FALSE(weight.grad().defined());
}

}  // namespace
}  // namespace fleetmark
