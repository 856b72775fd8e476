#include "agent/worker/kernels/matrix_product.h"

#include <ATen/ops/mkldnn_linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <exception>

#include "agent/worker/precision.h"

namespace fleetmark {

MatrixProduct::MatrixProduct(Library library, int64_t n, at::Device device, const std::string& dtype)
    : library_(library),
      a_(at::randn({n, n}).to(device, ScalarTypeOf(dtype))),
      b_(at::randn({n, n}).to(device, ScalarTypeOf(dtype))) {
  if (library_ == Library::kOneDnn) {
    packed_a_ = a_.to_mkldnn();
    packed_b_ = b_.t().contiguous().to_mkldnn();
  } else {
    result_ = at::empty_like(a_);
  }
}

bool MatrixProduct::IsThere(Library library, at::Device device, const std::string& dtype) {
  if (library == Library::kAten) return true;
  if (!device.is_cpu() || !at::globalContext().hasMKLDNN() || (dtype != "fp32" && dtype != "bf16")) return false;
  constexpr int64_t kSmall = 16;
  try {
    MatrixProduct(library, kSmall, device, dtype).Multiply();
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

void MatrixProduct::Multiply() {
  const at::NoGradGuard no_grad;
  if (library_ == Library::kOneDnn) {
    result_ = at::mkldnn_linear(packed_a_, packed_b_);
  } else {
    at::mm_out(result_, a_, b_);
  }
}

}  // namespace fleetmark
