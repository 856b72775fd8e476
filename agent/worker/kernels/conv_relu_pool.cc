#include "agent/worker/kernels/conv_relu_pool.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "agent/worker/kernels/pooling.h"
#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

constexpr int kKernel = 5;
// Images are shared out in so many parts, each with sums of its own, whatever the number of threads.
constexpr int64_t kMostParts = 64;

// Eight numbers as one value of the compiler's: GCC keeps wider ones in memory where a machine has no registers for
// them, and narrower ones leave half of each register empty.
constexpr int kLanes = 8;
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint8_t Bytes __attribute__((vector_size(kLanes), aligned(1), may_alias));

inline const Floats& At(const float* place) { return *reinterpret_cast<const Floats*>(place); }
inline Floats& At(float* place) { return *reinterpret_cast<Floats*>(place); }

struct Shape {
  int64_t width;    // of x
  int64_t rows;     // of windows
  int64_t windows;  // in a row
};

// The largest of a, b above and c, d below, if it is positive, and where it was: for each output one window. Compares
// as IsLarger does; -1 is what is so.
inline __attribute__((always_inline)) void PoolWindows(const Floats& a, const Floats& b, const Floats& c,
                                                       const Floats& d, float* result, uint8_t* origins) {
  const Ints is_b = (b > a) | (b != b), is_d = (d > c) | (d != d);
  const Floats upper = is_b ? b : a, lower = is_d ? d : c;
  const Ints is_lower = (lower > upper) | (lower != lower);
  const Floats largest = is_lower ? lower : upper;
  const Ints from = is_lower ? 2 - is_d : -is_b;
  const Ints stops = largest <= 0;  // not written as largest > 0, for NaN's sake
  At(result) = stops ? Floats{} : largest;
  *reinterpret_cast<Bytes*>(origins) = __builtin_convertvector(stops ? Ints{} + kNowhere : from, Bytes);
}

// `across` windows that begin at `corner`. A row of x serves both rows of a window, with two rows of the kernel.
template <int channels, int outputs, int across>
inline __attribute__((always_inline)) void ForwardWindows(const float* __restrict corner, int64_t line,
                                                          const float* __restrict packed, const float* __restrict bias,
                                                          float* __restrict result, uint8_t* __restrict origins) {
  constexpr int kRow = kKernel * channels, kVectors = outputs / kLanes;
  Floats sums[4][across][kVectors];  // upper left, upper right, lower left, lower right
  for (auto& sums_of_place : sums) {
    for (auto& sums_of_window : sums_of_place) std::memcpy(sums_of_window, bias, sizeof(sums_of_window));
  }
#pragma GCC unroll 6
  for (int y = 0; y <= kKernel; ++y) {
    const float* const pixels = corner + y * line;
    const float* const weights = packed + y * kRow * outputs;
#pragma GCC unroll 1
    for (int j = 0; j < kRow; ++j) {
#pragma GCC unroll 8
      for (int column = 0; column < 2 * across; ++column) {
        const float pixel = pixels[column * channels + j];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const float* const place = weights + j * outputs + kLanes * v;
          if (y < kKernel) sums[column % 2][column / 2][v] += At(place) * pixel;
          if (y > 0) sums[2 + column % 2][column / 2][v] += At(place - kRow * outputs) * pixel;
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < across * kVectors; ++i) {
    const int window = i / kVectors, v = i % kVectors;
    PoolWindows(sums[0][window][v], sums[1][window][v], sums[2][window][v], sums[3][window][v], result + kLanes * i,
                origins + kLanes * i);
  }
}

// Of one image. `channels` inputs, `outputs` outputs; a row of the kernel is kRow numbers that lie one after the other
// in x. `packed` is the weight as kernel row, place in it, output.
template <int channels, int outputs>
FLEETMARK_VECTORISED void ForwardImage(const float* __restrict image, const float* __restrict packed,
                                       const float* __restrict bias, const Shape& shape, float* __restrict result,
                                       uint8_t* __restrict origins) {
  const int64_t line = shape.width * channels;
  for (int64_t row = 0; row < shape.rows; ++row) {
    const float* corner = image + 2 * row * line;
    int64_t at = row * shape.windows * outputs, left = shape.windows;
    for (; left >= 2; left -= 2, at += 2 * outputs, corner += 4 * channels) {
      ForwardWindows<channels, outputs, 2>(corner, line, packed, bias, result + at, origins + at);
    }
    if (left == 1) ForwardWindows<channels, outputs, 1>(corner, line, packed, bias, result + at, origins + at);
  }
}

// Adds one image's part to the gradient of the weight (output, kernel row, kWide numbers of which kRow count) and of
// the bias. Reads up to one number behind the image. What is nowhere counts as 0 at the first place: no branch that
// the processor would guess wrong.
template <int channels, int outputs>
FLEETMARK_VECTORISED void WeightGradient(const float* __restrict image, const float* __restrict gradients,
                                         const uint8_t* __restrict origins, const Shape& shape,
                                         float* __restrict weight_sums, float* __restrict bias_sums) {
  constexpr int kRow = kKernel * channels, kVectors = (kRow + kLanes - 1) / kLanes, kWide = kLanes * kVectors;
  constexpr int kRowsAtOnce = channels == 3 ? kKernel : 1;  // of the kernel: ten sums, which fit into registers
  const int64_t line = shape.width * channels, offsets[] = {0, channels, line, line + channels, 0};
  for (int output = 0; output < outputs; ++output) {
    for (int first = 0; first < kKernel; first += kRowsAtOnce) {
      Floats sums[kRowsAtOnce][kVectors] = {};
      float bias_sum = 0;
      for (int64_t window = 0; window < shape.rows * shape.windows; ++window) {
        const int64_t row = window / shape.windows, column = window % shape.windows;
        const uint8_t from = origins[window * outputs + output];
        const float gradient = from == kNowhere ? 0.0F : gradients[window * outputs + output];
        const float* const pixels = image + (2 * row + first) * line + 2 * column * channels + offsets[from];
        bias_sum += gradient;
#pragma GCC unroll 16
        for (int i = 0; i < kRowsAtOnce * kVectors; ++i) {
          sums[i / kVectors][i % kVectors] += gradient * At(pixels + i / kVectors * line + i % kVectors * kLanes);
        }
      }
      float* const own = weight_sums + (output * kKernel + first) * kWide;
      for (int i = 0; i < kRowsAtOnce * kVectors; ++i) {
        At(own + kLanes * i) += sums[i / kVectors][i % kVectors];
      }
      if (first == 0) bias_sums[output] += bias_sum;
    }
  }
}

// Adds the gradient of one image to `result`. `padded` is the weight among zeros: output, kernel rows -1 to 5, kernel
// columns -1 to 5, channel. So the 6 x 6 pixels of a window have one loop, wherever in it the gradients go back to.
template <int channels, int outputs>
FLEETMARK_VECTORISED void ImageGradient(const float* __restrict padded, const float* __restrict gradients,
                                        const uint8_t* __restrict origins, const Shape& shape,
                                        float* __restrict result) {
  constexpr int kPixels = kKernel + 1, kPaddedRow = (kKernel + 2) * channels, kVectors = kPixels * channels / kLanes;
  constexpr int64_t kPlaces[] = {kPaddedRow + channels, kPaddedRow, channels, 0, 0};
  const int64_t line = shape.width * channels;
  for (int64_t window = 0; window < shape.rows * shape.windows; ++window) {
    const float* weights[outputs];
    float scales[outputs];
    for (int output = 0; output < outputs; ++output) {
      const uint8_t from = origins[window * outputs + output];
      weights[output] = padded + output * (kKernel + 2) * kPaddedRow + kPlaces[from];
      scales[output] = from == kNowhere ? 0.0F : gradients[window * outputs + output];
    }
    float* const corner = result + 2 * (window / shape.windows) * line + 2 * (window % shape.windows) * channels;
    for (int y = 0; y < kPixels; ++y) {
      Floats sums[kVectors] = {};
      for (int output = 0; output < outputs; ++output) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v)
          sums[v] += scales[output] * At(weights[output] + y * kPaddedRow + kLanes * v);
      }
      float* const own = corner + y * line;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) At(own + kLanes * v) += sums[v];
    }
  }
}

// The weight as kernel row, place in it, output.
std::vector<float> Packed(const at::Tensor& weight) {
  const int64_t outputs = weight.size(0), kernel = weight.numel() / outputs;
  const float* const from = weight.data_ptr<float>();
  std::vector<float> packed(static_cast<size_t>(weight.numel()));
  for (int64_t output = 0; output < outputs; ++output) {
    for (int64_t i = 0; i < kernel; ++i) packed[static_cast<size_t>(i * outputs + output)] = from[output * kernel + i];
  }
  return packed;
}

// The weight among zeros, as ImageGradient wants it.
std::vector<float> Padded(const at::Tensor& weight) {
  const int64_t channels = weight.size(1), row = kKernel * channels, padded_row = row + 2 * channels;
  const float* const from = weight.data_ptr<float>();
  std::vector<float> padded(static_cast<size_t>(weight.size(0) * (kKernel + 2) * padded_row));
  for (int64_t i = 0; i < weight.size(0) * kKernel; ++i) {
    const int64_t to = (i / kKernel * (kKernel + 2) + i % kKernel + 1) * padded_row + channels;
    std::copy_n(from + i * row, row, padded.begin() + to);
  }
  return padded;
}

class ConvReluPoolFunction : public torch::autograd::Function<ConvReluPoolFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    constexpr at::MemoryFormat kLast = at::MemoryFormat::ChannelsLast;
    const bool is_first = x.size(1) == 3 && weight.size(0) == 16, is_second = x.size(1) == 16 && weight.size(0) == 8;
    TORCH_CHECK((is_first || is_second) && x.is_contiguous(kLast) && weight.is_contiguous(kLast) &&
                    weight.size(2) == kKernel && weight.size(3) == kKernel && x.size(2) % 2 == 0 && x.size(3) % 2 == 0,
                "ConvReluPool: unsuitable input");
    const int64_t outputs = weight.size(0);
    const Shape shape = ShapeOf(x);
    const std::vector<float> packed = Packed(weight);
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
          ForwardImage<3, 16>(from, packed.data(), biases, shape, to, origins_of_image);
        } else {
          ForwardImage<16, 8>(from, packed.data(), biases, shape, to, origins_of_image);
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
    const int64_t outputs = weight.size(0), row = kKernel * x.size(1), wide = (row + kLanes - 1) / kLanes * kLanes;
    const int64_t count = x.size(0), parts = std::min(count, kMostParts);
    const int64_t image_size = x.numel() / count, result_size = gradient.numel() / count;
    const bool is_first = x.size(1) == 3;
    TORCH_CHECK(!is_first || !context->needs_input_grad(0), "ConvReluPool: no gradient of images of 3 channels");
    const at::Tensor image_gradient = context->needs_input_grad(0) ? at::zeros_like(x) : at::Tensor();
    const std::vector<float> padded = image_gradient.defined() ? Padded(weight) : std::vector<float>();
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
          float* const bias_sums = own + outputs * kKernel * wide;
          if (is_first) {
            WeightGradient<3, 16>(pixels, gradients, origins, shape, own, bias_sums);
            continue;
          }
          WeightGradient<16, 8>(pixels, gradients, origins, shape, own, bias_sums);
          if (!image_gradient.defined()) continue;
          float* const back = image_gradient.data_ptr<float>() + image * image_size;
          ImageGradient<16, 8>(padded.data(), gradients, origins, shape, back);
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
