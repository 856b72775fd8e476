#include "agent/worker/kernels/conv_relu_pool.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "agent/worker/kernels/pooling.h"
#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

constexpr int kKernel = 5;
// Images are shared out in so many parts, each with sums of its own, whatever the number of threads.
constexpr int64_t kMostParts = 64;

// `n` numbers as one value of the compiler's.
template <int n>
struct Lanes {
  typedef float Floats __attribute__((vector_size(n * sizeof(float)), aligned(4), may_alias));
};

struct Shape {
  int64_t width;    // of x
  int64_t rows;     // of windows
  int64_t windows;  // in a row
};

// The largest of a, b above and c, d below, if it is positive, and where it was: for each output one window.
template <int outputs>
inline __attribute__((always_inline)) void PoolWindows(const float* __restrict a, const float* __restrict b,
                                                       const float* __restrict c, const float* __restrict d,
                                                       float* __restrict result, uint8_t* __restrict origins) {
  for (int output = 0; output < outputs; ++output) {
    const bool is_b = IsLarger(b[output], a[output]), is_d = IsLarger(d[output], c[output]);
    const float upper = is_b ? b[output] : a[output], lower = is_d ? d[output] : c[output];
    const bool is_lower = IsLarger(lower, upper);
    const float largest = is_lower ? lower : upper;
    const int32_t from = is_lower ? (is_d ? 3 : 2) : (is_b ? 1 : 0);
    const bool passes = !(largest <= 0);  // not written as largest > 0, for NaN's sake
    result[output] = passes ? largest : 0.0F;
    origins[output] = static_cast<uint8_t>(passes ? from : kNowhere);
  }
}

// Of one image. `channels` inputs, `outputs` outputs; a row of the kernel is kRow numbers that lie one after the other
// in x. `across` windows are done at once. `packed` is the weight as kernel row, place in it, output.
template <int channels, int outputs, int across>
FLEETMARK_VECTORISED void ForwardImage(const float* __restrict image, const float* __restrict packed,
                                       const float* __restrict bias, const Shape& shape, float* __restrict result,
                                       uint8_t* __restrict origins) {
  using Floats = typename Lanes<outputs>::Floats;
  constexpr int kRow = kKernel * channels, kColumns = 2 * across;
  const int64_t line = shape.width * channels;
  for (int64_t row = 0; row < shape.rows; ++row) {
    for (int64_t window = 0; window < shape.windows; window += across) {
      const float* const corner = image + 2 * row * line + 2 * window * channels;
      Floats sums[2][kColumns];
      for (auto& sums_of_row : sums) {
        for (Floats& sum : sums_of_row) sum = *reinterpret_cast<const Floats*>(bias);
      }
      for (int ky = 0; ky < kKernel; ++ky) {
        const float* const upper = corner + ky * line;
        const float* const lower = upper + line;
        for (int j = 0; j < kRow; ++j) {
          const Floats weights = *reinterpret_cast<const Floats*>(packed + (ky * kRow + j) * outputs);
#pragma GCC unroll 8
          for (int column = 0; column < kColumns; ++column) {
            sums[0][column] += weights * upper[column * channels + j];
            sums[1][column] += weights * lower[column * channels + j];
          }
        }
      }
      alignas(64) float values[2][kColumns][outputs];
      std::memcpy(values, sums, sizeof(values));
      for (int i = 0; i < across; ++i) {
        const int64_t at = (row * shape.windows + window + i) * outputs;
        PoolWindows<outputs>(values[0][2 * i], values[0][2 * i + 1], values[1][2 * i], values[1][2 * i + 1],
                             result + at, origins + at);
      }
    }
  }
}

// Adds one image's part to the gradient of the weight (output, kernel row, kWide numbers of which kRow count) and of
// the bias, and, where it is wanted, writes that of the image, which begins as zeros. Reads up to one number behind the
// image.
template <int channels, int outputs>
FLEETMARK_VECTORISED void BackwardImage(const float* __restrict image, const float* __restrict weight,
                                        const float* __restrict gradients, const uint8_t* __restrict origins,
                                        const Shape& shape, float* __restrict weight_sums, float* __restrict bias_sums,
                                        float* __restrict image_gradient) {
  using Floats = Lanes<16>::Floats;
  constexpr int kRow = kKernel * channels, kVectors = (kRow + 15) / 16, kWide = 16 * kVectors;
  const int64_t line = shape.width * channels;
  for (int64_t row = 0; row < shape.rows; ++row) {
    for (int64_t window = 0; window < shape.windows; ++window) {
      const int64_t at = (row * shape.windows + window) * outputs;
      for (int output = 0; output < outputs; ++output) {
        const uint8_t from = origins[at + output];
        if (from == kNowhere) continue;
        const float gradient = gradients[at + output];
        const int64_t place = (2 * row + from / 2) * line + (2 * window + from % 2) * channels;
        bias_sums[output] += gradient;
        for (int ky = 0; ky < kKernel; ++ky) {
          const float* const pixels = image + place + ky * line;
          float* const sums = weight_sums + (output * kKernel + ky) * kWide;
#pragma GCC unroll 8
          for (int v = 0; v < kVectors; ++v) {
            *reinterpret_cast<Floats*>(sums + 16 * v) += gradient * *reinterpret_cast<const Floats*>(pixels + 16 * v);
          }
          if (image_gradient == nullptr) continue;
          const float* const weights = weight + (output * kKernel + ky) * kRow;
          float* const back = image_gradient + place + ky * line;
          for (int j = 0; j < kRow; ++j) back[j] += gradient * weights[j];
        }
      }
    }
  }
}

class ConvReluPoolFunction : public torch::autograd::Function<ConvReluPoolFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    constexpr at::MemoryFormat kLast = at::MemoryFormat::ChannelsLast;
    const bool is_first = x.size(1) == 3 && weight.size(0) == 16, is_second = x.size(1) == 16 && weight.size(0) == 8;
    TORCH_CHECK((is_first || is_second) && x.is_contiguous(kLast) && weight.is_contiguous(kLast) &&
                    weight.size(2) == kKernel && weight.size(3) == kKernel && (x.size(2) - 4) % 2 == 0 &&
                    (x.size(3) - 4) % (is_first ? 4 : 2) == 0,
                "ConvReluPool: unsuitable input");
    const int64_t outputs = weight.size(0), row = kKernel * x.size(1);
    const Shape shape = ShapeOf(x);
    const float* const weights = weight.data_ptr<float>();
    std::vector<float> packed(static_cast<size_t>(weight.numel()));
    for (int64_t output = 0; output < outputs; ++output) {
      for (int64_t i = 0; i < kKernel * row; ++i) {
        packed[static_cast<size_t>(i * outputs + output)] = weights[output * kKernel * row + i];
      }
    }
    at::Tensor result = at::empty({x.size(0), outputs, shape.rows, shape.windows}, x.options(), kLast);
    at::Tensor origin = at::empty({result.numel()}, x.options().dtype(at::kByte));
    const float* const images = x.data_ptr<float>();
    const float* const biases = bias.data_ptr<float>();
    float* const results = result.data_ptr<float>();
    uint8_t* const origins = origin.data_ptr<uint8_t>();
    const int64_t image_size = x.numel() / x.size(0), result_size = result.numel() / x.size(0);
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) {
        const float* const from = images + image * image_size;
        float* const to = results + image * result_size;
        uint8_t* const origins_of_image = origins + image * result_size;
        // Called by name: a pointer would be to the slowest of the function's clones.
        if (is_first) {
          ForwardImage<3, 16, 2>(from, packed.data(), biases, shape, to, origins_of_image);
        } else {
          ForwardImage<16, 8, 1>(from, packed.data(), biases, shape, to, origins_of_image);
        }
      }
    });
    context->save_for_backward({x, weight, origin});
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list incoming) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &origin = saved[2];
    const at::Tensor gradient = incoming.front().contiguous(at::MemoryFormat::ChannelsLast);
    const Shape shape = ShapeOf(x);
    const int64_t outputs = weight.size(0), row = kKernel * x.size(1), wide = (row + 15) / 16 * 16;
    const int64_t count = x.size(0), parts = std::min(count, kMostParts);
    const int64_t image_size = x.numel() / count, result_size = gradient.numel() / count;
    const bool is_first = x.size(1) == 3;
    at::Tensor image_gradient = context->needs_input_grad(0) ? at::zeros_like(x) : at::Tensor();
    const int64_t sums_size = outputs * kKernel * wide + outputs;
    std::vector<float> sums(static_cast<size_t>(parts * sums_size));
    std::vector<float> last(x.data_ptr<float>() + (count - 1) * image_size, x.data_ptr<float>() + x.numel());
    last.push_back(0);  // which is read and does not count
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        float* const own = sums.data() + part * sums_size;
        for (int64_t image = part * count / parts; image < (part + 1) * count / parts; ++image) {
          const float* const pixels = image == count - 1 ? last.data() : x.data_ptr<float>() + image * image_size;
          const float* const gradients = gradient.data_ptr<float>() + image * result_size;
          const uint8_t* const origins = origin.data_ptr<uint8_t>() + image * result_size;
          float* const back =
              image_gradient.defined() ? image_gradient.data_ptr<float>() + image * image_size : nullptr;
          float* const bias_sums = own + outputs * kKernel * wide;
          if (is_first) {
            BackwardImage<3, 16>(pixels, weight.data_ptr<float>(), gradients, origins, shape, own, bias_sums, back);
          } else {
            BackwardImage<16, 8>(pixels, weight.data_ptr<float>(), gradients, origins, shape, own, bias_sums, back);
          }
        }
      }
    });
    at::Tensor weight_gradient = at::zeros_like(weight), bias_gradient = at::zeros({outputs});
    float* const weights = weight_gradient.data_ptr<float>();
    float* const biases = bias_gradient.data_ptr<float>();
    for (int64_t part = 0; part < parts; ++part) {
      const float* const own = sums.data() + part * sums_size;
      for (int64_t line = 0; line < outputs * kKernel; ++line) {
        for (int64_t j = 0; j < row; ++j) weights[line * row + j] += own[line * wide + j];
      }
      for (int64_t output = 0; output < outputs; ++output) biases[output] += own[outputs * kKernel * wide + output];
    }
    return {image_gradient, weight_gradient, bias_gradient};
  }

 private:
  static Shape ShapeOf(const at::Tensor& x) {
    return {x.size(3), (x.size(2) - kKernel + 1) / 2, (x.size(3) - kKernel + 1) / 2};
  }
};

}  // namespace

at::Tensor ConvReluPool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return ConvReluPoolFunction::apply(x, weight, bias);
}

}  // namespace fleetmark
