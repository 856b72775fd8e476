#include "agent/worker/kernels/pool_relu.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "agent/worker/kernels/pooling.h"
#include "agent/worker/kernels/vectorised.h"

namespace fleetmark {
namespace {

// Outputs that one thread takes at a time.
constexpr int64_t kGrain = 8192;

// One row of windows: `width` windows of `channels` each, out of two rows of 2 x `width` pixels.
FLEETMARK_VECTORISED
void ForwardRow(const float* __restrict upper, const float* __restrict lower, int64_t width, int64_t channels,
                float* __restrict outputs, uint8_t* __restrict origins) {
  for (int64_t window = 0; window < width; ++window) {
    const int64_t left = 2 * window * channels, right = left + channels, out = window * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const bool is_below_left = IsLarger(lower[left + c], upper[left + c]);
      const bool is_below_right = IsLarger(lower[right + c], upper[right + c]);
      const float largest_left = is_below_left ? lower[left + c] : upper[left + c];
      const float largest_right = is_below_right ? lower[right + c] : upper[right + c];
      const bool is_right = IsLarger(largest_right, largest_left);
      const float largest = is_right ? largest_right : largest_left;
      const int32_t from = is_right ? (is_below_right ? 3 : 1) : (is_below_left ? 2 : 0);
      const bool passes = !(largest <= 0);  // not written as largest > 0, for NaN's sake
      outputs[out + c] = passes ? largest : 0.0F;
      origins[out + c] = static_cast<uint8_t>(passes ? from : kNowhere);
    }
  }
}

FLEETMARK_VECTORISED
void BackwardRow(const float* __restrict gradients, const uint8_t* __restrict origins, int64_t width, int64_t channels,
                 float* __restrict upper, float* __restrict lower) {
  for (int64_t window = 0; window < width; ++window) {
    const int64_t left = 2 * window * channels, right = left + channels, out = window * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const float gradient = gradients[out + c];
      const uint8_t from = origins[out + c];
      upper[left + c] = from == 0 ? gradient : 0.0F;
      upper[right + c] = from == 1 ? gradient : 0.0F;
      lower[left + c] = from == 2 ? gradient : 0.0F;
      lower[right + c] = from == 3 ? gradient : 0.0F;
    }
  }
}

class PoolReluFunction : public torch::autograd::Function<PoolReluFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    TORCH_CHECK(x.is_cpu() && x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast) &&
                    x.scalar_type() == at::kFloat && x.size(2) % 2 == 0 && x.size(3) % 2 == 0,
                "PoolRelu: unsuitable input");
    const int64_t channels = x.size(1), width = x.size(3) / 2, rows = x.size(0) * x.size(2) / 2;
    at::Tensor output =
        at::empty({x.size(0), channels, x.size(2) / 2, width}, x.options(), at::MemoryFormat::ChannelsLast);
    at::Tensor origin = at::empty({rows, width * channels}, x.options().dtype(at::kByte));
    const float* const inputs = x.data_ptr<float>();
    float* const outputs = output.data_ptr<float>();
    uint8_t* const origins = origin.data_ptr<uint8_t>();
    const int64_t row_size = width * channels;
    at::parallel_for(0, rows, std::max<int64_t>(kGrain / row_size, 1), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* const upper = inputs + row * 4 * row_size;
        ForwardRow(upper, upper + 2 * row_size, width, channels, outputs + row * row_size, origins + row * row_size);
      }
    });
    context->save_for_backward({origin});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list incoming) {
    const at::Tensor origin = context->get_saved_variables().front();
    const at::Tensor gradient = incoming.front().contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t channels = gradient.size(1), width = gradient.size(3), rows = origin.size(0);
    at::Tensor result = at::empty({gradient.size(0), channels, 2 * gradient.size(2), 2 * width}, gradient.options(),
                                  at::MemoryFormat::ChannelsLast);
    const float* const gradients = gradient.data_ptr<float>();
    const uint8_t* const origins = origin.data_ptr<uint8_t>();
    float* const outgoing = result.data_ptr<float>();
    const int64_t row_size = width * channels;
    at::parallel_for(0, rows, std::max<int64_t>(kGrain / row_size, 1), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* const upper = outgoing + row * 4 * row_size;
        BackwardRow(gradients + row * row_size, origins + row * row_size, width, channels, upper, upper + 2 * row_size);
      }
    });
    return {result};
  }
};

}  // namespace

at::Tensor PoolRelu(const at::Tensor& x) { return PoolReluFunction::apply(x); }

}  // namespace fleetmark
