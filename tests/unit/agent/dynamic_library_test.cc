#include "agent/sampler/dynamic_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;

TEST(DynamicLibrary, FindsWhatItHas) {
  const auto library = DynamicLibrary::Open(FAKE_NVML);
  ASSERT_TRUE(library.ok()) << library.status().message();
  const char* (*error_string)(int) = nullptr;
  library->Find("nvmlErrorString", &error_string);
  ASSERT_NE(nullptr, error_string);
  EXPECT_STREQ("Timeout", error_string(10));
  library->Find("nvmlNoSuchFunction", &error_string);
  EXPECT_EQ(nullptr, error_string);
}

TEST(DynamicLibrary, TellsAbsentFromBroken) {
  const auto absent = DynamicLibrary::Open("libfleetmark-no-such-library.so.1");
  EXPECT_EQ(StatusCode::kNotFound, absent.status().code());
  EXPECT_THAT(absent.status().message(), HasSubstr("libfleetmark-no-such-library.so.1"));

  const TemporaryDirectory directory;
  const auto path = directory.path() / "broken.so";
  ASSERT_TRUE(WriteFileAtomically(path, "no library").ok());
  const auto broken = DynamicLibrary::Open(path.string());
  EXPECT_EQ(StatusCode::kFailedPrecondition, broken.status().code());
  EXPECT_THAT(broken.status().message(), HasSubstr("broken.so"));
}

}  // namespace
}  // namespace fleetmark
