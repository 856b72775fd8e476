#include "agent/runners.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/fakes/temporary_directory.h"

namespace fleetmark::agent {
namespace {

class RunnersTest : public testing::Test {
 protected:
  // A runner that describes itself by this document.
  std::filesystem::path Runner(const std::string& runtime, const std::string& devices) {
    const std::filesystem::path path = directory_.path() / runtime;
    std::ofstream(path) << "#!/bin/sh\necho '{\"runtime\": \"" << runtime << "\", \"devices\": [" << devices << "]}'\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  TemporaryDirectory directory_;
};

TEST_F(RunnersTest, ADeviceHasOneUuidWhicheverRuntimeLooksAtIt) {
  const std::vector<v1::Runtime> runtimes = DescribeRunners(
      {{"keras-jax", Runner("keras-jax", R"({"name": "cuda:0"}, {"name": "cuda:1"})")},
       {"libtorch", Runner("libtorch", R"({"name": "cpu", "uuid": "cpu"}, {"name": "cuda:0", "uuid": "GPU-7"})")}});
  ASSERT_EQ(runtimes.size(), 2u);
  EXPECT_EQ(runtimes[0].description().devices(0).uuid(), "GPU-7");
  EXPECT_EQ(runtimes[0].description().devices(1).uuid(), "cuda:1") << "nobody knows a better one";
  EXPECT_EQ(runtimes[1].description().devices(1).uuid(), "GPU-7");
}

TEST_F(RunnersTest, APythonRuntimeThatIsNotSetUpSaysHow) {
  const std::vector<v1::Runtime> runtimes = DescribeRunners(RunnerPaths({}, directory_.path()));
  ASSERT_EQ(runtimes.size(), 4u);
  EXPECT_EQ(runtimes[0].name(), "keras-jax");
  EXPECT_EQ(runtimes[0].unavailable(), "it is not set up; fleetmark-agent runtimes add keras-jax");
}

}  // namespace
}  // namespace fleetmark::agent
