#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "agent/worker/kernels/matrix_product.h"
#include "agent/worker/kernels/streams.h"

namespace fleetmark {
namespace {

TEST(MatrixProduct, IsTheSameByEachLibrary) {
  for (const auto library : {MatrixProduct::Library::kAten, MatrixProduct::Library::kOneDnn}) {
    if (!MatrixProduct::IsThere(library, at::kCPU, "fp32")) continue;
    MatrixProduct product(library, 50, at::kCPU, "fp32");
    product.Multiply();
    EXPECT_TRUE(at::allclose(product.result(), at::mm(product.a(), product.b()), 1e-4, 1e-5));
  }
}

TEST(Streams, CoverEveryElementWhereverTheyBegin) {
  constexpr int64_t kCount = 300'001;  // for several threads, and no multiple of a vector
  const at::Tensor x = at::randn({kCount + 4}), y = at::randn({kCount + 4});
  for (int64_t first = 0; first < 4; ++first) {
    const at::Tensor from = x.narrow(0, first, kCount), other = y.narrow(0, 4 - first, kCount);
    at::Tensor copied = at::zeros({kCount + 8}), added = at::zeros({kCount + 8});
    StreamCopy(kCount, from.data_ptr<float>(), copied.data_ptr<float>() + first);
    StreamTriad(kCount, from.data_ptr<float>(), other.data_ptr<float>(), 3, added.data_ptr<float>() + first);
    EXPECT_TRUE(at::equal(copied.narrow(0, first, kCount), from));
    EXPECT_TRUE(at::allclose(added.narrow(0, first, kCount), at::add(from, other, 3), 1e-5, 1e-5));
    for (const at::Tensor& whole : {copied, added}) {
      EXPECT_EQ(whole.narrow(0, first + kCount, 8 - first).abs().sum().item<float>(), 0) << "nothing behind";
    }
  }
}

}  // namespace
}  // namespace fleetmark
