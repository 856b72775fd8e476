#include "agent/worker/kernels/pool_relu_dropout.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "agent/worker/kernels/pooling.h"
#include "agent/worker/kernels/vectorised.h"
#include "agent/worker/scramble.h"

namespace fleetmark {
namespace {

// Windows that one thread takes at a time.
constexpr int64_t kGrain = 8192;

struct Dropout {
  uint32_t seed;
  uint32_t threshold;  // a window is dropped when the upper 24 bits of its random number are below this
  float scale;         // of what is kept

  Dropout(double p, uint32_t key)
      : seed(key), threshold(static_cast<uint32_t>(p * (1 << 24))), scale(static_cast<float>(1 / (1 - p))) {}
};

// Rows of windows that are done together: long loops vectorise, and what they hand on stays in the first-level cache.
constexpr int64_t kRowsAtOnce = 16;
constexpr int64_t kWidestRow = 64;  // windows

// `rows` rows of windows, `width` windows wide: 2 x `rows` rows of 2 x `width` inputs. `first` is the number of the
// first window. First the larger of each column of two, then of each two columns.
FLEETMARK_VECTORISED
void ForwardRows(const float* __restrict inputs, int64_t rows, int64_t width, uint32_t first, const Dropout& dropout,
                 float* __restrict outputs, uint8_t* __restrict origins) {
  float columns[2 * kRowsAtOnce * kWidestRow];
  int32_t below[2 * kRowsAtOnce * kWidestRow];  // 2 where the lower row holds it
  for (int64_t row = 0; row < rows; ++row) {
    const float* const upper = inputs + row * 4 * width;
    const float* const lower = upper + 2 * width;
    for (int64_t i = 0; i < 2 * width; ++i) {
      const bool is_below = IsLarger(lower[i], upper[i]);
      columns[row * 2 * width + i] = is_below ? lower[i] : upper[i];
      below[row * 2 * width + i] = is_below ? 2 : 0;
    }
  }
  const uint32_t key = Scramble(dropout.seed), threshold = dropout.threshold;
  const float scale = dropout.scale;
  for (int64_t i = 0; i < rows * width; ++i) {
    const float left = columns[2 * i], right = columns[2 * i + 1];
    const bool is_right = IsLarger(right, left);
    const float largest = is_right ? right : left;
    const int32_t from = is_right ? below[2 * i + 1] + 1 : below[2 * i];
    const bool dropped = (Scramble((first + static_cast<uint32_t>(i)) ^ key) >> 8) < threshold;
    // Not written as largest > 0, for NaN's sake.
    const bool passes = !(largest <= 0) & !dropped;
    outputs[i] = passes ? largest * scale : 0.0F;
    origins[i] = static_cast<uint8_t>(passes ? from : kNowhere);
  }
}

FLEETMARK_VECTORISED
void BackwardRow(const float* __restrict gradient, const uint8_t* __restrict origin, int64_t width, float scale,
                 float* __restrict upper, float* __restrict lower) {
  for (int64_t i = 0; i < width; ++i) {
    const float scaled = gradient[i] * scale;
    const uint8_t from = origin[i];
    upper[2 * i] = from == 0 ? scaled : 0.0F;
    upper[2 * i + 1] = from == 1 ? scaled : 0.0F;
    lower[2 * i] = from == 2 ? scaled : 0.0F;
    lower[2 * i + 1] = from == 3 ? scaled : 0.0F;
  }
}

class Operation : public torch::autograd::Function<Operation> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, double p, int64_t seed) {
    TORCH_CHECK(x.is_cpu() && x.is_contiguous() && x.dim() == 4 && x.scalar_type() == at::kFloat &&
                    x.size(2) % 2 == 0 && x.size(3) % 2 == 0 && x.size(3) <= 2 * kWidestRow,
                "PoolReluDropout: unsuitable input");
    const Dropout dropout(p, static_cast<uint32_t>(seed));
    const int64_t width = x.size(3) / 2, rows = x.size(0) * x.size(1) * x.size(2) / 2;
    at::Tensor output = at::empty({x.size(0), x.size(1), x.size(2) / 2, width}, x.options());
    at::Tensor origin = at::empty(output.sizes(), x.options().dtype(at::kByte));
    const float* const inputs = x.data_ptr<float>();
    float* const outputs = output.data_ptr<float>();
    uint8_t* const origins = origin.data_ptr<uint8_t>();
    at::parallel_for(0, rows, std::max<int64_t>(kGrain / width, 1), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row += kRowsAtOnce) {
        ForwardRows(inputs + row * 4 * width, std::min(kRowsAtOnce, end - row), width,
                    static_cast<uint32_t>(row * width), dropout, outputs + row * width, origins + row * width);
      }
    });
    context->save_for_backward({origin});
    context->saved_data["scale"] = static_cast<double>(dropout.scale);
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor origin = context->get_saved_variables().front();
    const at::Tensor gradient = gradients.front().contiguous();
    const float scale = static_cast<float>(context->saved_data["scale"].toDouble());
    const int64_t width = origin.size(3), rows = origin.numel() / width;
    at::Tensor result = at::empty({origin.size(0), origin.size(1), 2 * origin.size(2), 2 * width}, gradient.options());
    const float* const incoming = gradient.data_ptr<float>();
    const uint8_t* const origins = origin.data_ptr<uint8_t>();
    float* const outgoing = result.data_ptr<float>();
    at::parallel_for(0, rows, std::max<int64_t>(kGrain / width, 1), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* const upper = outgoing + row * 4 * width;
        BackwardRow(incoming + row * width, origins + row * width, width, scale, upper, upper + 2 * width);
      }
    });
    return {result, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor PoolReluDropout(const at::Tensor& x, double p, uint32_t seed) {
  return Operation::apply(x, p, static_cast<int64_t>(seed));
}

}  // namespace fleetmark
