#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gtest/gtest.h>

#include <cmath>

#include "agent/worker/kernels/conv_relu_pool.h"
#include "agent/worker/kernels/pool_relu_dropout.h"

namespace fleetmark {
namespace {

at::Tensor Input() {
  at::manual_seed(7);
  return at::randn({5, 3, 8, 24}).requires_grad_(true);
}

TEST(PoolReluDropout, WithoutDroppingEqualsAtenForwardAndBackward) {
  at::Tensor ours = Input(), theirs = Input();
  const at::Tensor weight = at::randn({5, 3, 4, 12});
  const at::Tensor fused = PoolReluDropout(ours, 0, 1);
  const at::Tensor plain = at::max_pool2d(at::relu(theirs), 2);
  EXPECT_TRUE(at::equal(fused, plain));
  fused.mul(weight).sum().backward();
  plain.mul(weight).sum().backward();
  EXPECT_TRUE(at::equal(ours.grad(), theirs.grad()));
}

TEST(PoolReluDropout, KeepsAndScalesTheRightShare) {
  const at::Tensor ones = at::ones({64, 16, 24, 24});
  const at::Tensor result = PoolReluDropout(ones, 0.25, 3);
  const double kept = result.gt(0).sum().item<double>() / static_cast<double>(result.numel());
  EXPECT_NEAR(kept, 0.75, 4 * std::sqrt(0.25 * 0.75 / static_cast<double>(result.numel())));
  EXPECT_FLOAT_EQ(result.max().item<float>(), 1 / 0.75F);
  EXPECT_NEAR(result.mean().item<double>(), 1, 0.02);
}

TEST(PoolReluDropout, TheGradientIsDroppedWhereTheValueWas) {
  at::Tensor ones = at::ones({4, 2, 6, 6}).requires_grad_(true);
  const at::Tensor result = PoolReluDropout(ones, 0.5, 11);
  result.sum().backward();
  // Of four equal values the first passes the gradient on, as in ATen.
  const at::Tensor first = ones.grad().slice(2, 0, 6, 2).slice(3, 0, 6, 2);
  EXPECT_TRUE(at::equal(first, result.detach()));
  EXPECT_FLOAT_EQ(ones.grad().sum().item<float>(), result.sum().item<float>());
}

TEST(PoolReluDropout, TheMaskFollowsTheSeedAndNotTheThreads) {
  const at::Tensor ones = at::ones({64, 64, 24, 24});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = PoolReluDropout(ones, 0.25, 5);
  at::set_num_threads(2);
  EXPECT_TRUE(at::equal(PoolReluDropout(ones, 0.25, 5), alone));
  EXPECT_FALSE(at::equal(PoolReluDropout(ones, 0.25, 6), alone));
  at::set_num_threads(threads);
}

TEST(PoolReluDropout, NotANumberGoesThrough) {
  for (int position = 0; position < 4; ++position) {
    const at::Tensor x = at::ones({1, 1, 2, 2});
    x.view({4})[position] = std::nan("");
    EXPECT_TRUE(std::isnan(PoolReluDropout(x, 0, 1).item<float>())) << "at " << position;
  }
}

struct Operands {
  at::Tensor x, weight, bias;
};

// The first (3 channels) or the second (16) convolution of LeNet, all wanting gradients, drawn from one seed.
Operands MakeOperands(int64_t channels, int64_t batch) {
  at::manual_seed(7);
  const int64_t side = channels == 3 ? 32 : 14, outputs = channels == 3 ? 16 : 8;
  const auto make = [](at::IntArrayRef shape, double scale) { return at::randn(shape).mul(scale); };
  Operands operands = {make({batch, channels, side, side}, 1), make({outputs, channels, 5, 5}, 0.1),
                       make({outputs}, 0.1)};
  operands.x = operands.x.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(channels != 3);
  operands.weight = operands.weight.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  operands.bias.requires_grad_(true);
  return operands;
}

TEST(ConvReluPool, EqualsAtenForwardAndBackward) {
  for (const int64_t channels : {3, 16}) {
    for (const int64_t batch : {1, 3, 70}) {
      SCOPED_TRACE(std::to_string(channels) + " channels, batch " + std::to_string(batch));
      const Operands ours = MakeOperands(channels, batch), theirs = MakeOperands(channels, batch);
      const at::Tensor fused = ConvReluPool(ours.x, ours.weight, ours.bias);
      const at::Tensor plain = at::max_pool2d(at::relu(at::conv2d(theirs.x, theirs.weight, theirs.bias)), 2);
      EXPECT_TRUE(at::allclose(fused, plain, 1e-4, 1e-5));
      const at::Tensor factor = at::randn(plain.sizes());
      fused.mul(factor).sum().backward();
      plain.mul(factor).sum().backward();
      EXPECT_TRUE(at::allclose(ours.weight.grad(), theirs.weight.grad(), 1e-3, 1e-3));
      EXPECT_TRUE(at::allclose(ours.bias.grad(), theirs.bias.grad(), 1e-3, 1e-3));
      if (channels == 16) {
        EXPECT_TRUE(at::allclose(ours.x.grad(), theirs.x.grad(), 1e-3, 1e-4));
      }
    }
  }
}

TEST(ConvReluPool, GivesTheSameWithAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  const auto gradient = [](int count) {
    at::set_num_threads(count);
    const Operands operands = MakeOperands(3, 70);
    ConvReluPool(operands.x, operands.weight, operands.bias).sum().backward();
    return operands.weight.grad().clone();
  };
  EXPECT_TRUE(at::equal(gradient(1), gradient(2)));
  at::set_num_threads(threads);
}

TEST(ConvReluPool, NotANumberGoesThrough) {
  for (const int64_t channels : {3, 16}) {
    const at::NoGradGuard no_grad;
    const Operands operands = MakeOperands(channels, 1);
    operands.x[0][1][7][6] = std::nan("");
    const at::Tensor plain = at::max_pool2d(at::relu(at::conv2d(operands.x, operands.weight, operands.bias)), 2);
    const at::Tensor fused = ConvReluPool(operands.x, operands.weight, operands.bias);
    EXPECT_TRUE(at::equal(fused.isnan(), plain.isnan())) << channels << " channels";
    EXPECT_TRUE(fused.isnan().any().item<bool>());
  }
}

}  // namespace
}  // namespace fleetmark
