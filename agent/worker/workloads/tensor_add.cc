#include <torch/jit.h>

#include <array>
#include <string_view>

#include "agent/worker/ceiling.h"
#include "agent/worker/device.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

namespace fleetmark::tensor_add {
namespace {

// A variant, what a step must at least read and write, and what it must hold at once, both in tensors of n x n.
struct Variant {
  const char* name;
  int traffic;
  int held;
};
constexpr std::array<Variant, 5> kVariants = {{
    {"torchscript", 2, 1},  // z += z
    {"inplace", 2, 1},      // z += z
    {"out", 3, 3},          // z = x + y
    {"alloc", 3, 3},        // the same into new memory
    {"upload", 9, 3},       // write x, y; copy both; add
}};

// The function of the published script "A Simple PyTorch Implementation Benchmark". C++ compiles no closures, so the
// constants stand in the text; dtypes are numbers there.
std::string PublishedFunction(int64_t n, at::ScalarType dtype, const std::string& device) {
  const std::string ones = "torch.ones([" + std::to_string(n) + ", " + std::to_string(n) +
                           "], dtype=" + std::to_string(static_cast<int>(dtype)) + ", device=\"" + device + "\")";
  return "def foo():\n    x = " + ones + "\n    y = " + ones + "\n    z = x + y\n    return z\n";
}

class TensorAdd : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const int64_t n = setup.parameters.Int("n");
    const std::string& name = setup.parameters.Text("variant");
    device_ = setup.device;
    while (name != kVariants[variant_].name) ++variant_;
    const at::ScalarType dtype = ScalarTypeOf(setup.parameters.Text("dtype"));
    tensor_bytes_ = static_cast<double>(n * n) * static_cast<double>(c10::elementSize(dtype));
    FLEETMARK_RETURN_IF_ERROR(CheckHostMemory(device_, held_bytes(), "tensor_add", "set n lower"));
    host_ = at::TensorOptions().dtype(dtype);
    shape_ = {n, n};
    const at::TensorOptions options = host_.device(TorchDevice(device_));
    if (name == "torchscript") {
      function_ = torch::jit::compile(PublishedFunction(n, dtype, device_));
      CompileAndCheck();
    } else if (!is_upload()) {
      x_ = at::ones(shape_, options);
      if (name != "inplace") y_ = at::ones(shape_, options);
      if (name == "out") z_ = at::empty(shape_, options);
    }
    Synchronize();
    return OkStatus();
  }

  int64_t Step() override {
    switch (variant_) {
      case 0:
        z_.add_(function_->run_method("foo").toTensor());
        break;
      case 1:
        x_.add_(x_);
        break;
      case 2:
        at::add_out(z_, x_, y_);
        break;
      case 3:
        z_ = at::Tensor(), z_ = at::add(x_, y_);
        break;
      default:
        Upload();
        break;
    }
    return 1;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    const double rate = static_cast<double>(loop.steps) / loop.measured_s;
    const double bytes = tensor_bytes_ * kVariants[variant_].traffic;
    recorder->RecordRate("it_per_s", rate, 1, loop.step_s);
    if (!folded_) return;
    recorder->RecordRate("gb_per_s", 1e-9 * bytes * rate, 1e-9 * bytes, loop.step_s);
    // An upload is mostly the host's making and copying.
    if (!is_upload()) RecordMemoryShare(bytes * rate, held_bytes(), TorchDevice(device_), recorder);
  }

  std::vector<std::string> Notes() const override {
    if (variant_ != 0) return {};
    if (folded_) return {"TorchScript folded the published function to one constant: each step is z += z in place"};
    return {"this LibTorch did not fold the published function to one constant, as the published rows assume"};
  }

 private:
  double held_bytes() const { return tensor_bytes_ * kVariants[variant_].held; }
  bool is_upload() const { return std::string_view(kVariants[variant_].name) == "upload"; }

  // The first calls profile and compile. What is timed is comparable with the published numbers only if the function
  // came out as one constant, which shows in its returning the same memory each time.
  void CompileAndCheck() {
    constexpr int kCallsToCompile = 3;
    for (int call = 0; call < kCallsToCompile; ++call) z_ = function_->run_method("foo").toTensor();
    folded_ = z_.data_ptr() == function_->run_method("foo").toTensor().data_ptr();
  }

  void Upload() {
    const at::Device device = TorchDevice(device_);
    const auto made = [&] { return at::ones(shape_, host_).to(device, host_.dtype().toScalarType(), false, true); };
    z_ = at::Tensor();
    const at::Tensor x = made(), y = made();
    z_ = at::add(x, y);
  }

  std::string device_;
  size_t variant_ = 0;
  double tensor_bytes_ = 0;
  bool folded_ = true;
  at::TensorOptions host_;
  std::vector<int64_t> shape_;
  std::shared_ptr<torch::jit::CompilationUnit> function_;
  at::Tensor x_, y_, z_;
};

}  // namespace

WorkloadDefinition Define() {
  constexpr double kSmallest = 256, kLargest = 32768;
  std::vector<std::string> variants;
  for (const Variant& variant : kVariants) variants.push_back(variant.name);
  return {
      .name = "tensor_add",
      .version = 1,
      .doc = "adds n x n tensors: memory bandwidth",
      .parameters = Merge({{.name = "n",
                            .type = "int",
                            .default_value = "12288",
                            .min = kSmallest,
                            .max = kLargest,
                            .doc = "rows and columns of the tensors",
                            .defines_board = true},
                           {.name = "variant",
                            .type = "choice",
                            .default_value = "torchscript",
                            .choices = variants,
                            .doc = "torchscript: the published function; inplace: z += z; out: z = x + y into the same "
                                   "memory; alloc: into "
                                   "new memory; upload: ones made on the host, copied, added",
                            .defines_board = true},
                           DtypeParameter({"fp32", "bf16", "fp16"})},
                          LoopParameters({.duration_s = 10, .warmup = 5})),
      .metrics = {"it_per_s", "gb_per_s", "ceiling_share"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}}}, {"cuda", {{"allocator", "retain"}}}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<TensorAdd>(); },
  };
}

}  // namespace fleetmark::tensor_add
