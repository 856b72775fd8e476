#include <optional>

#include "agent/worker/ceiling.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/kernels/matrix_product.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/workload.h"

// Multiplies n x n matrices: the arithmetic of a device by number format.
namespace fleetmark::matmul {
namespace {

class Matmul : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    device_ = setup.device;
    dtype_ = parameters.Text("dtype");
    n_ = parameters.Int("n");
    const bool is_onednn = parameters.Text("kernels") == "onednn";
    const auto library = is_onednn ? MatrixProduct::Library::kOneDnn : MatrixProduct::Library::kAten;
    const at::Device device = TorchDevice(device_);
    if (!MatrixProduct::IsThere(library, device, dtype_)) {
      return Unsupported("kernels=onednn multiplies fp32 and bf16 on the CPU alone, and by a LibTorch that has oneDNN",
                         "take kernels=aten");
    }
    FLEETMARK_RETURN_IF_ERROR(CheckArithmetic(device, dtype_));
    SetMatrixPrecision(dtype_);
    at::manual_seed(static_cast<uint64_t>(parameters.Int("seed")));
    product_.emplace(library, n_, device, dtype_);
    Synchronize();
    return OkStatus();
  }

  int64_t Step() override {
    product_->Multiply();
    return 1;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    const auto n = static_cast<double>(n_);
    RecordFlops(loop, 2 * n * n * n, TorchDevice(device_), dtype_, recorder);
    recorder->RecordRate("it_per_s", static_cast<double>(loop.steps) / loop.measured_s, 1, loop.step_s);
  }

 private:
  std::string device_, dtype_;
  int64_t n_ = 0;
  std::optional<MatrixProduct> product_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "matmul",
      .version = 1,
      .doc = "multiplies n x n matrices: arithmetic by number format",
      .parameters = Merge({{.name = "n",
                            .type = "int",
                            .default_value = "2048",
                            .min = 16,
                            .max = 65536,
                            .doc = "rows and columns of the matrices",
                            .defines_board = true},
                           {.name = "kernels",
                            .type = "choice",
                            .default_value = "aten",
                            .choices = {"aten", "onednn"},
                            .doc = "aten: LibTorch's product, which is the BLAS's or cuBLAS's; onednn: oneDNN's on the "
                                   "CPU, with matrices in its own layout",
                            .tunable = true},
                           DtypeParameter(),
                           SeedParameter()},
                          LoopParameters({.duration_s = 10, .warmup = 5})),
      .metrics = {"tflop_per_s", "ceiling_share", "it_per_s"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}, {"kernels", "onednn"}}}, {"cuda", {}}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<Matmul>(); },
  };
}

}  // namespace fleetmark::matmul
