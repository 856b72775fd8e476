#pragma once

#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// How layers begin. Drawn from ATen's CPU generator, so that a seed gives the same network on every device.
enum class Init {
  kPyTorch,  // weight and bias uniform within 1 / sqrt(fan_in), as PyTorch's own layers
  kGlorot,   // weight uniform within sqrt(6 / (fan_in + fan_out)), bias 0, as those of Keras and Flux.jl
  kKaiming,  // convolutions normal with variance 2 / fan_out and without bias, the rest kPyTorch, as torchvision's
             // ResNets
  kGpt2,     // weight normal with deviation .02, bias 0
};

// Weight and bias, if it has one, of a convolution or a dense layer; leaves that want gradients.
struct Layer {
  at::Tensor weight, bias;
};

// Batch normalisation over batch, height and width.
struct BatchNorm {
  at::Tensor weight, bias;                    // trained
  at::Tensor running_mean, running_variance;  // averages for evaluation
  double share, epsilon;                      // what a batch counts for in those

  at::Tensor operator()(const at::Tensor& x, bool training) const;
};

// A network that classifies. A derived class makes its layers in their order and joins them in Forward.
class Network {
 public:
  Network(Init init, at::Device device, at::MemoryFormat format) : init_(init), device_(device), format_(format) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  // The logarithms of the classes' probabilities, batch x classes, of images, batch x channels x height x width, fp32,
  // in the network's memory format (another input where the class says so). `training` turns dropout on and has batches
  // normalised by themselves.
  virtual at::Tensor Forward(const at::Tensor& images, bool training) const = 0;

  // The arithmetic that a training step needs for one sample, counted by layer from its shape: forward, and backward to
  // its weights and, but for the layer that reads the data, its input; a multiplication with its addition is 2 FLOP.
  // Convolutions and matrix products alone: the rest is less than a hundredth.
  double TrainingFlops() const { return 2 * (3 * products_ - products_on_data_); }

  // What training changes: weight and bias of each layer from the first to the last.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // Numbers that it keeps beside.
  const std::vector<at::Tensor>& buffers() const { return buffers_; }

 protected:
  // How a layer is used, for counting its arithmetic.
  struct Use {
    int64_t positions = 1;    // of a sample that it is applied to: the pixels of a convolution's output
    bool reads_data = false;  // which wants no gradient
  };

  // `shape` is the weight's: outputs first, then inputs, then the kernel's height and width.
  Layer MakeLayer(at::IntArrayRef shape, Use use = {1, false});
  // Keras's defaults.
  BatchNorm MakeBatchNorm(int64_t channels, double share = 0.01, double epsilon = 1e-3);
  // A parameter that is no layer's; returns it as a leaf that wants gradients.
  at::Tensor AddParameter(const at::Tensor& parameter);
  // Products that no layer makes: `count` a sample in the forward pass, and twice as many backward.
  void CountProducts(double count) { products_ += count; }

 private:
  const Init init_;
  const at::Device device_;
  const at::MemoryFormat format_;
  std::vector<at::Tensor> parameters_, buffers_;
  double products_ = 0, products_on_data_ = 0;  // multiplications with their additions, of one sample's forward pass
};

}  // namespace fleetmark
