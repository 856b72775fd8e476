#include "agent/worker/precision.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include "agent/worker/failure.h"

namespace fleetmark {
namespace {

void SwitchAutocast(at::DeviceType device, bool on, at::ScalarType type) {
#if TORCH_VERSION_MAJOR >= 2
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::set_autocast_enabled(device, on);
#else
  if (device == at::kCPU) {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(on);
  } else {
    at::autocast::set_autocast_gpu_dtype(type);
    at::autocast::set_enabled(on);
  }
#endif
}

}  // namespace

at::ScalarType ScalarTypeOf(const std::string& dtype) {
  if (dtype == "bf16") return at::kBFloat16;
  return dtype == "fp16" ? at::kHalf : at::kFloat;
}

void SetMatrixPrecision(const std::string& dtype) {
  at::globalContext().setAllowTF32CuBLAS(dtype == "tf32");
  at::globalContext().setAllowTF32CuDNN(dtype == "tf32");
}

Autocast::Autocast(at::Device device, const std::string& dtype)
    : device_(device.type()), is_on_(ScalarTypeOf(dtype) != at::kFloat) {
  if (is_on_) SwitchAutocast(device_, true, ScalarTypeOf(dtype));
}

Autocast::~Autocast() {
  if (!is_on_) return;
  SwitchAutocast(device_, false, at::kBFloat16);
  at::autocast::clear_cache();  // of the parameters' copies, which the next step of the optimizer makes stale
}

Status CheckArithmetic(at::Device device, const std::string& dtype) {
  if (!device.is_cpu() || dtype != "fp16") return OkStatus();
  return Unsupported("dtype=fp16 needs a CUDA device here: CPUs emulate its arithmetic, hundreds of times slower",
                     "take dtype=bf16");
}

double LossScale(const std::string& dtype) {
  constexpr double kScaleOfFp16 = 1024;
  return dtype == "fp16" ? kScaleOfFp16 : 1;
}

}  // namespace fleetmark
