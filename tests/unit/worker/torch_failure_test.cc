#include "agent/worker/torch_failure.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>

#include "agent/worker/torch_headers.h"

namespace fleetmark {
namespace {

Status FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (...) {
    return CurrentExceptionAsFailure();
  }
  return OkStatus();
}

TEST(TorchFailure, MemoryThatIsNotThereIsOutOfMemory) {
  const Status status = FailureOf([] { at::empty({int64_t{1} << 46}); });
  EXPECT_EQ(status.kind(), "out_of_memory") << status.message();
  EXPECT_EQ(FailureOf([] { throw std::bad_alloc(); }).kind(), "out_of_memory");
}

TEST(TorchFailure, IsOneSentenceWithoutABacktrace) {
  const Status status = FailureOf([] { at::ones({2, 3}).matmul(at::ones({2, 3})); });
  EXPECT_EQ(status.kind(), "internal");
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_EQ(status.message().find("0x"), std::string::npos) << status.message();
}

TEST(TorchFailure, ALostDeviceAndAMissingKernelHaveTheirKinds) {
  const Status lost = FailureOf([] { TORCH_CHECK(false, "CUDA error: unspecified launch failure"); });
  EXPECT_EQ(lost.kind(), "device_unavailable");
  EXPECT_NE(lost.message().find("unspecified launch failure"), std::string::npos);
  const auto kind_of = [](const char* text) { return FailureOf([=] { TORCH_CHECK(false, text); }).kind(); };
  EXPECT_EQ(kind_of("CUDA error: out of memory"), "out_of_memory");
  EXPECT_EQ(kind_of("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "out_of_memory");
  EXPECT_EQ(kind_of("CUDA error: no kernel image is available for execution on the device"), "unsupported");
  EXPECT_EQ(kind_of("CUDA error: invalid argument"), "internal");
  EXPECT_EQ(FailureOf([] { TORCH_CHECK(false, "\"addmm_impl\" not implemented for 'Half'"); }).kind(), "unsupported");
}

TEST(TorchFailure, OtherExceptionsAreInternal) {
  EXPECT_EQ(FailureOf([] { throw std::runtime_error("no such luck"); }).message(), "the worker failed: no such luck");
}

}  // namespace
}  // namespace fleetmark
