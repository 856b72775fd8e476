#pragma once

#include <string>

#include "agent/worker/torch_headers.h"

namespace fleetmark {

// The product of two n x n matrices by a library of choice, again and again.
class MatrixProduct {
 public:
  enum class Library {
    kAten,    // LibTorch's matrix product: the BLAS on the CPU, cuBLAS on CUDA
    kOneDnn,  // oneDNN's, which LibTorch has for matrices in its layout; CPU, fp32 and bf16
  };

  // Of numbers drawn by ATen's generator.
  MatrixProduct(Library library, int64_t n, at::Device device, const std::string& dtype);

  // Whether `library` multiplies `dtype` on `device`; tries it, since that is a matter of the processor as well.
  static bool IsThere(Library library, at::Device device, const std::string& dtype);

  void Multiply();

  // For tests; all n x n in the ordinary layout.
  const at::Tensor& a() const { return a_; }
  const at::Tensor& b() const { return b_; }
  at::Tensor result() const { return result_.is_mkldnn() ? result_.to_dense() : result_; }

 private:
  const Library library_;
  const at::Tensor a_, b_;
  at::Tensor packed_a_, packed_b_;  // oneDNN's, the second turned over
  at::Tensor result_;
};

}  // namespace fleetmark
