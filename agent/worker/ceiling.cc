#include "agent/worker/ceiling.h"

#include <ATen/ops/randn.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>

#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/kernels/matrix_product.h"
#include "agent/worker/kernels/streams.h"
#include "agent/worker/precision.h"
#include "agent/worker/start_environment.h"
#include "agent/worker/torch_failure.h"
#include "common/host_info.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

constexpr double kEnough_s = 0.25;  // of trying one kernel
constexpr int kFewestCalls = 3;

// The shortest of several calls after a first one.
double BestSeconds(at::Device device, const std::function<void()>& call) {
  const std::string name = device.str();
  const auto timed = [&] {
    const double before = MonotonicClock().Now();
    call();
    SynchronizeDevice(name);
    return MonotonicClock().Now() - before;
  };
  timed();
  double best = std::numeric_limits<double>::infinity(), spent = 0;
  for (int calls = 0; calls < kFewestCalls || spent < kEnough_s; ++calls) {
    const double seconds = timed();
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

double ProductRate(MatrixProduct::Library library, at::Device device, const std::string& dtype) {
  const int64_t n = device.is_cpu() ? 1024 : 4096;
  MatrixProduct product(library, n, device, dtype);
  const auto extent = static_cast<double>(n);
  return 2 * extent * extent * extent / BestSeconds(device, [&] { product.Multiply(); });
}

double ConvolutionRate(at::Device device, const std::string& dtype) {
  constexpr int64_t kChannels = 256, kSide = 32, kKernel = 3;
  const at::NoGradGuard no_grad;
  const int64_t batch = device.is_cpu() ? 8 : 128;
  const auto made = [&](at::IntArrayRef shape) {
    return at::randn(shape).to(device, ScalarTypeOf(dtype)).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::Tensor images = made({batch, kChannels, kSide, kSide});
  const at::Tensor weight = made({kChannels, kChannels, kKernel, kKernel});
  const double flops = 2.0 * static_cast<double>(images.numel()) * kChannels * kKernel * kKernel;
  return flops / BestSeconds(device, [&] { at::conv2d(images, weight, {}, 1, kKernel / 2); });
}

// 0 where this LibTorch cannot do it in that number format.
double RateOrNone(const std::function<double()>& measure) {
  try {
    return measure();
  } catch (const std::exception&) {
    if (CurrentExceptionAsFailure().kind() == "unsupported") return 0;
    throw;
  }
}

// A ceiling is the machine's, whatever a run makes of it: while this lives the CPU computes with every core.
class EveryCore {
 public:
  explicit EveryCore(at::Device device) : threads_(at::get_num_threads()) {
    if (!device.is_cpu()) return;
    LeavePinning();
    at::set_num_threads(std::max(threads_, ReadHostInfo().physical_cores));
  }
  EveryCore(const EveryCore&) = delete;
  EveryCore& operator=(const EveryCore&) = delete;
  ~EveryCore() { at::set_num_threads(threads_); }

 private:
  const int threads_;
};

void NoteNoShare(const std::string& why, MetricRecorder* recorder) {
  recorder->Note("ceiling_share has no value: " + why);
}

void RecordShare(double rate, const std::string& resource, const std::string& dtype,
                 const std::function<double()>& measure, MetricRecorder* recorder) {
  try {
    recorder->Record("ceiling_share", rate / recorder->ceilings().Of(resource, dtype, rate, measure));
  } catch (const std::exception&) {  // what was measured before stands all the same
    NoteNoShare(CurrentExceptionAsFailure().message(), recorder);
  }
}

std::string Megabytes(double bytes) { return std::to_string(static_cast<int64_t>(1e-6 * bytes)) + " MB"; }

}  // namespace

double MeasureArithmeticCeiling(at::Device device, const std::string& dtype) {
  const EveryCore every_core(device);
  double best = RateOrNone([&] { return ConvolutionRate(device, dtype); });
  for (const auto library : {MatrixProduct::Library::kAten, MatrixProduct::Library::kOneDnn}) {
    if (!MatrixProduct::IsThere(library, device, dtype)) continue;
    best = std::max(best, RateOrNone([&] { return ProductRate(library, device, dtype); }));
  }
  return best;
}

double MeasureMemoryCeiling(at::Device device) {
  const EveryCore every_core(device);
  constexpr auto kCount = static_cast<int64_t>(kMemoryCeilingArrayBytes / sizeof(float));
  const at::Tensor x = at::ones({kCount}, at::TensorOptions().device(device));
  at::Tensor z = at::zeros_like(x);
  // Each reads one array and writes one.
  const auto rate = [&](const std::function<void()>& call) {
    return 2 * kMemoryCeilingArrayBytes / BestSeconds(device, call);
  };
  double best = std::max(rate([&] { z.copy_(x); }), rate([&] { z.add_(1); }));
  if (!device.is_cpu() || !kHasStreams) return best;
  const float* const from = x.data_ptr<float>();
  float* const to = z.data_ptr<float>();
  best = std::max(best, rate([&] { StreamCopy(kCount, from, to); }));
  return std::max(best, rate([&] { StreamTriad(kCount, from, from, 1, to); }));
}

void RecordMemoryShare(double rate, double held_bytes, at::Device device, MetricRecorder* recorder) {
  if (held_bytes < kMemoryCeilingArrayBytes) {
    NoteNoShare("the " + Megabytes(held_bytes) + " that a step passes over may lie in caches, and from " +
                    Megabytes(kMemoryCeilingArrayBytes) + " on it is compared with the memory's ceiling",
                recorder);
    return;
  }
  const auto measure = [&] {
    const Status room = CheckHostMemory(device.str(), held_bytes + 2 * kMemoryCeilingArrayBytes,
                                        "measuring the memory's ceiling beside it", "");
    if (!room.ok()) throw RunFailure(room);
    return MeasureMemoryCeiling(device);
  };
  RecordShare(rate, kMemoryResource, "", measure, recorder);
}

void RecordFlops(const LoopResult& loop, double flops, at::Device device, const std::string& dtype,
                 MetricRecorder* recorder) {
  constexpr double kTera = 1e-12;
  const double rate = flops * static_cast<double>(loop.steps) / loop.measured_s;
  recorder->RecordRate("tflop_per_s", kTera * rate, kTera * flops, loop.step_s);
  const auto measure = [&] { return MeasureArithmeticCeiling(device, dtype); };
  RecordShare(rate, kArithmeticResource, dtype, measure, recorder);
}

}  // namespace fleetmark
