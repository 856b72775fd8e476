#pragma once

#include <vector>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// How layers begin. Drawn from ATen's CPU generator, so that a seed gives the same network on every device.
enum class Init {
  kPyTorch,  // weight and bias uniform within 1 / sqrt(fan_in), as PyTorch's own layers
  kGlorot,   // weight uniform within sqrt(6 / (fan_in + fan_out)), bias 0, as those of Keras and Flux.jl
};

// Weight and bias of a convolution or a dense layer; leaves that want gradients.
struct Layer {
  at::Tensor weight, bias;
};

// Batch normalisation over batch, height and width as Keras has it by default.
struct BatchNorm {
  at::Tensor weight, bias;                    // trained
  at::Tensor running_mean, running_variance;  // averages for evaluation: a batch counts for 1 %

  at::Tensor operator()(const at::Tensor& x, bool training) const;
};

// A network that classifies images. A derived class makes its layers in their order and joins them in Forward.
class Network {
 public:
  Network(Init init, at::Device device, at::MemoryFormat format) : init_(init), device_(device), format_(format) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  // The logarithms of the classes' probabilities, batch x classes, of images, batch x channels x height x width, fp32,
  // in the network's memory format. `training` turns dropout on and has batches normalised by themselves.
  virtual at::Tensor Forward(const at::Tensor& images, bool training) const = 0;

  // What training changes: weight and bias of each layer from the first to the last.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // Numbers that it keeps beside.
  const std::vector<at::Tensor>& buffers() const { return buffers_; }

 protected:
  // `shape` is the weight's: outputs first, then inputs, then the kernel's height and width.
  Layer MakeLayer(at::IntArrayRef shape);
  BatchNorm MakeBatchNorm(int64_t channels);

 private:
  const Init init_;
  const at::Device device_;
  const at::MemoryFormat format_;
  std::vector<at::Tensor> parameters_, buffers_;
};

}  // namespace fleetmark
