#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "agent/worker/models/gpt2.h"
#include "agent/worker/models/image_cnn.h"
#include "agent/worker/models/lenet.h"
#include "agent/worker/models/mnist_network.h"
#include "agent/worker/models/resnet50.h"
#include "agent/worker/models/resnet63.h"

namespace fleetmark {
namespace {

MnistNetwork Make(at::MemoryFormat format = at::MemoryFormat::Contiguous) {
  at::manual_seed(1);
  return MnistNetwork(at::kCPU, format);
}

int64_t Count(const std::vector<at::Tensor>& tensors) {
  int64_t count = 0;
  for (const at::Tensor& tensor : tensors) count += tensor.numel();
  return count;
}

TEST(Networks, HaveThePublishedNumbersOfParameters) {
  constexpr at::MemoryFormat kFormat = at::MemoryFormat::Contiguous;
  const LeNet lenet(at::kCPU, kFormat);
  const ResNet63 resnet(at::kCPU, kFormat);
  const ImageCnn image_cnn(at::kCPU, kFormat);
  EXPECT_EQ(Count(image_cnn.parameters()), 58088516);
  EXPECT_EQ(Count(ResNet50(at::kCPU, kFormat).parameters()), 25557032);
  EXPECT_EQ(Count(Gpt2(at::kCPU, 1024, Gpt2::Attention::kSeparate).parameters()), 124439808);
  EXPECT_EQ(Count(image_cnn.buffers()), 2880);
  EXPECT_EQ(Count(Make().parameters()), 1199882);
  EXPECT_EQ(Count(lenet.parameters()), 39558);
  EXPECT_EQ(Count(resnet.parameters()), 15187722);
  EXPECT_EQ(Count(resnet.parameters()) + Count(resnet.buffers()), 15206538);
  int convolutions = 0;
  for (const at::Tensor& parameter : resnet.parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
    convolutions += parameter.dim() == 4 && parameter.size(2) == 3 ? 1 : 0;
  }
  EXPECT_EQ(convolutions, 61) << "and two of 1 x 1";
}

TEST(Networks, GlorotsBoundIsOfFanInAndFanOut) {
  const LeNet lenet(at::kCPU, at::MemoryFormat::Contiguous);
  const at::Tensor weight = lenet.parameters()[2].detach();  // conv 5x5, 16 to 8
  const double bound = std::sqrt(6.0 / (16 * 25 + 8 * 25));
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_GT(weight.abs().max().item<double>(), 0.99 * bound);
  EXPECT_EQ(lenet.parameters()[3].abs().max().item<double>(), 0);
}

TEST(Networks, BatchesAreNormalisedByThemselvesOnlyInTraining) {
  const ResNet63 network(at::kCPU, at::MemoryFormat::Contiguous);
  const at::Tensor images = at::randn({2, 3, 32, 32}), mean = network.buffers()[0].clone();
  const at::NoGradGuard no_grad;
  network.Forward(images, false);
  EXPECT_TRUE(at::equal(network.buffers()[0], mean));
  network.Forward(images, true);
  EXPECT_FALSE(at::equal(network.buffers()[0], mean));
}

TEST(MnistNetwork, BeginsAsPyTorchsLayersDo) {
  const at::Tensor weight = Make().parameters()[4].detach();  // fc1, fan-in 9216
  const double bound = 1 / std::sqrt(9216.0);
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_GT(weight.abs().max().item<double>(), 0.999 * bound);
  EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0), 0.01 * bound);
}

TEST(MnistNetwork, GivesLogProbabilities) {
  const at::Tensor output = Make().Forward(at::randn({7, 1, 28, 28}), false);
  EXPECT_EQ(output.sizes(), (std::vector<int64_t>{7, 10}));
  EXPECT_TRUE(at::allclose(output.exp().sum(1), at::ones({7})));
}

TEST(MnistNetwork, IsTheSameInBothMemoryFormats) {
  const at::Tensor images = at::randn({7, 1, 28, 28});
  const MnistNetwork plain = Make(), last = Make(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(plain.Forward(images, false),
                           last.Forward(images.contiguous(at::MemoryFormat::ChannelsLast), false), 1e-3, 1e-4));
}

TEST(MnistNetwork, DropoutIsOnlyForTraining) {
  const at::Tensor images = at::randn({7, 1, 28, 28});
  const MnistNetwork network = Make();
  EXPECT_TRUE(at::equal(network.Forward(images, false), network.Forward(images, false)));
  EXPECT_FALSE(at::equal(network.Forward(images, true), network.Forward(images, true)));
}

TEST(MnistNetwork, TheFusedFormIsTheSameOnAverage) {
  // Dropout leaves the mean of what it is applied to; the outputs of many masks scatter around that without dropout.
  const at::Tensor images = at::randn({64, 1, 28, 28});
  const MnistNetwork network = Make();
  at::Tensor mean_fused = at::zeros({64, 10}), mean_plain = at::zeros({64, 10});
  constexpr int kMasks = 60;
  for (int i = 0; i < kMasks; ++i) {
    const at::NoGradGuard no_grad;
    mean_fused.add_(network.ForwardFused(images, static_cast<uint32_t>(i)), 1.0 / kMasks);
    mean_plain.add_(network.Forward(images, true), 1.0 / kMasks);
  }
  EXPECT_TRUE(at::allclose(mean_fused, mean_plain, 0, 0.08));
}

}  // namespace
}  // namespace fleetmark
