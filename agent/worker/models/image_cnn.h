#pragma once

#include "agent/worker/models/network.h"

namespace fleetmark {

// The Keras network of "TensorFlow 2 - CPU vs GPU Performance Comparison": conv 32, pool 3; conv 64, conv 64, pool 2;
// conv 128, conv 128, pool 2, all 3x3 and padded, dropout .25 after each pooling; dense 1024, dropout .5; dense 4. ReLU
// and then batch normalisation after each hidden layer. Images are batch x 3 x 256 x 256; 58,088,516 parameters and
// 2,880 running averages.
class ImageCnn : public Network {
 public:
  ImageCnn(at::Device device, at::MemoryFormat format);

  at::Tensor Forward(const at::Tensor& images, bool training) const override;

 private:
  struct Hidden {
    Layer layer;
    BatchNorm norm;
  };
  Hidden MakeHidden(at::IntArrayRef shape, Use use = {1, false});
  static at::Tensor Convolve(const Hidden& hidden, const at::Tensor& x, bool training);

  const Hidden conv1_, conv2_, conv3_, conv4_, conv5_, dense1_;
  const Layer dense2_;
};

}  // namespace fleetmark
