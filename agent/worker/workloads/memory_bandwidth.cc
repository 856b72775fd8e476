#include <array>

#include "agent/worker/ceiling.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/kernels/streams.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

// Moves arrays within the memory of a device, or between the host's and a GPU's.
namespace fleetmark::memory_bandwidth {
namespace {

// A pattern, and how many arrays a step reads and writes at least, and holds.
struct Pattern {
  const char* name;
  int traffic;
  int held;
};
constexpr std::array<Pattern, 4> kPatterns = {{
    {"copy", 2, 2},      // z = x
    {"triad", 3, 3},     // z = x + 3 y
    {"upload", 1, 2},    // host to device
    {"download", 1, 2},  // device to host
}};
constexpr float kFactor = 3;

class MemoryBandwidth : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    device_ = setup.device;
    while (parameters.Text("pattern") != kPatterns[pattern_].name) ++pattern_;
    streams_ = parameters.Text("kernels") == "streaming";
    count_ = parameters.Int("mib") * (int64_t{1} << 20) / static_cast<int64_t>(sizeof(float));
    const at::Device device = TorchDevice(device_);
    FLEETMARK_RETURN_IF_ERROR(Check(device));
    const at::TensorOptions there = at::TensorOptions().device(device);
    x_ = crosses() && !is("download") ? Pinned() : at::ones({count_}, there);
    if (is("triad")) y_ = at::ones({count_}, there);
    z_ = is("download") ? Pinned() : at::zeros({count_}, there);
    Synchronize();
    return OkStatus();
  }

  int64_t Step() override {
    if (streams_ && is("copy")) {
      StreamCopy(count_, x_.data_ptr<float>(), z_.data_ptr<float>());
    } else if (streams_) {
      StreamTriad(count_, x_.data_ptr<float>(), y_.data_ptr<float>(), kFactor, z_.data_ptr<float>());
    } else if (is("triad")) {
      at::add_out(z_, x_, y_, kFactor);
    } else {
      z_.copy_(x_, true);
    }
    return 1;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    const double rate = static_cast<double>(loop.steps) / loop.measured_s;
    const double bytes = static_cast<double>(count_) * sizeof(float) * kPatterns[pattern_].traffic;
    recorder->RecordRate("gb_per_s", 1e-9 * bytes * rate, 1e-9 * bytes, loop.step_s);
    if (!crosses()) RecordMemoryShare(bytes * rate, held_bytes(), TorchDevice(device_), recorder);
    recorder->RecordRate("it_per_s", rate, 1, loop.step_s);
  }

 private:
  bool is(std::string_view name) const { return kPatterns[pattern_].name == name; }
  bool crosses() const { return is("upload") || is("download"); }
  double held_bytes() const { return static_cast<double>(count_) * sizeof(float) * kPatterns[pattern_].held; }

  at::Tensor Pinned() const { return at::ones({count_}, at::TensorOptions().pinned_memory(true)); }

  Status Check(at::Device device) const {
    const std::string pattern = std::string("pattern=") + kPatterns[pattern_].name;
    if (crosses() && device.is_cpu()) {
      return Unsupported(pattern + " moves between the host and a GPU, and the run's device is the CPU",
                         "take --device cuda, or pattern=copy");
    }
    if (streams_ && (!device.is_cpu() || crosses() || !kHasStreams)) {
      return Unsupported("kernels=streaming is for copy and triad on x86 CPUs", "take kernels=aten");
    }
    return CheckHostMemory(device_, held_bytes(), pattern, "set mib lower");
  }

  std::string device_;
  size_t pattern_ = 0;
  bool streams_ = false;
  int64_t count_ = 0;
  at::Tensor x_, y_, z_;
};

}  // namespace

WorkloadDefinition Define() {
  std::vector<std::string> patterns;
  for (const Pattern& pattern : kPatterns) patterns.push_back(pattern.name);
  return {
      .name = "memory_bandwidth",
      .version = 1,
      .doc = "moves arrays of fp32: the bandwidth of a device's memory, or of the way to it",
      .parameters = Merge(
          {{.name = "pattern",
            .type = "choice",
            .default_value = "copy",
            .choices = patterns,
            .doc = "copy: z = x; triad: z = x + 3 y; upload, download: from the host's pinned memory to a GPU's "
                   "and back",
            .defines_board = true},
           {.name = "mib",
            .type = "int",
            .default_value = "256",
            .min = 1,
            .max = 1 << 20,
            .unit = "MiB",
            .doc = "size of each array; what fits into caches measures those",
            .defines_board = true},
           {.name = "kernels",
            .type = "choice",
            .default_value = "aten",
            .choices = {"aten", "streaming"},
            .doc = "aten: LibTorch's operations; streaming: our own, whose stores go past the caches, x86 CPUs only",
            .tunable = true}},
          LoopParameters({.duration_s = 10, .warmup = 5})),
      .metrics = {"gb_per_s", "ceiling_share", "it_per_s"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}, {"kernels", "streaming"}}}, {"cuda", {}}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<MemoryBandwidth>(); },
  };
}

}  // namespace fleetmark::memory_bandwidth
