#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gtest/gtest.h>

#include <cmath>

#include "agent/worker/kernels/pool_relu.h"
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

TEST(PoolRelu, EqualsAtenForwardAndBackward) {
  for (const int64_t channels : {3, 8, 16}) {
    at::manual_seed(7);
    const at::Tensor x = at::randn({300, channels, 6, 10}), weight = at::randn({300, channels, 3, 5});
    at::Tensor ours = x.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
    at::Tensor theirs = x.clone().requires_grad_(true);
    const at::Tensor fused = PoolRelu(ours), plain = at::max_pool2d(at::relu(theirs), 2);
    EXPECT_TRUE(at::equal(fused, plain));
    fused.mul(weight).sum().backward();
    plain.mul(weight).sum().backward();
    EXPECT_TRUE(at::equal(ours.grad(), theirs.grad())) << channels << " channels";
  }
}

TEST(PoolRelu, NotANumberGoesThrough) {
  for (int position = 0; position < 4; ++position) {
    const at::Tensor x = at::ones({1, 1, 2, 2});
    x.view({4})[position] = std::nan("");
    EXPECT_TRUE(std::isnan(PoolRelu(x.contiguous(at::MemoryFormat::ChannelsLast)).item<float>())) << "at " << position;
  }
}

}  // namespace
}  // namespace fleetmark
