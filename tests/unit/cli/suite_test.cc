#include "coordinator/cli/suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fakes/temporary_directory.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;

class SuiteTest : public testing::Test {
 protected:
  StatusOr<Suite> Load(const std::string& text) {
    const std::filesystem::path path = directory_.path() / "mine.toml";
    std::ofstream(path) << text;
    return LoadSuite(path);
  }
  // Expects a refusal that begins with the file and this line and has these words.
  void ExpectRefusal(const std::string& text, int line, const std::string& words) {
    const Status status = Load(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("mine.toml:" + std::to_string(line) + ": "));
    EXPECT_THAT(status.ToString(), HasSubstr(words));
  }
  TemporaryDirectory directory_;
};

TEST_F(SuiteTest, ThoseOfTheProgramCanBeRead) {
  EXPECT_THAT(SuiteNames(), testing::ElementsAre("classics", "quick"));
  for (const std::string& name : SuiteNames()) {
    const StatusOr<Suite> suite = LoadSuite(name);
    ASSERT_TRUE(suite.ok()) << suite.status().ToString();
    EXPECT_EQ(suite->jobs.size(), name == "classics" ? 5u : 9u);
    EXPECT_FALSE(suite->doc.empty());
  }
  EXPECT_THAT(LoadSuite("clasics").status().ToString(), HasSubstr("did you mean classics?"));
}

TEST_F(SuiteTest, EveryKeyOfAJobArrives) {
  const StatusOr<Suite> suite = Load(R"(
[[job]]
workload = "mnist_cnn"
set = { epochs = 1, data = "synthetic", until_ci = 0.01 }
on = ["lab-1", "room=a"]
device = "cuda"
runtime = "all"
profile = "tuned"
telemetry = "alternating"
repeat = 3
retries = 2
priority = 5
timeout = "15m"
note = "weekly"
[[job]]
workload = "tensor_add"
on = "any"
)");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  ASSERT_EQ(suite->jobs.size(), 2u);
  const v1::SubmitRequest& job = suite->jobs[0];
  EXPECT_EQ(job.parameters().at("epochs"), "1");
  EXPECT_EQ(job.parameters().at("until_ci"), "0.01");
  EXPECT_EQ(job.on_size(), 2);
  EXPECT_EQ(job.device() + job.runtime() + job.profile() + job.note(), "cudaalltunedweekly");
  EXPECT_EQ(job.telemetry(), "alternating");
  EXPECT_EQ(job.repeat() * 100 + job.retries() * 10 + job.priority(), 325);
  EXPECT_EQ(job.timeout_s(), 900);
  EXPECT_EQ(suite->jobs[1].on(0), "any");
}

TEST_F(SuiteTest, WhatIsWrongIsNamedWithItsLine) {
  ExpectRefusal("[[job]]\nworkload = \"x\"\nprofle = \"tuned\"\n", 3, "did you mean profile?");
  ExpectRefusal("[[jobs]]\nworkload = \"x\"\n", 1, "did you mean job?");
  ExpectRefusal("[job]\nworkload = \"x\"\n", 1, "two brackets");
  ExpectRefusal("doc = \"d\"\n[[job]]\nrepeat = 2\n", 2, "names no workload");
  ExpectRefusal("[[job]]\nworkload = \"x\"\nrepeat = \"two\"\n", 3, "repeat is not a whole number");
  ExpectRefusal("[[job]]\nworkload = \"x\"\nset = 3\n", 3, "set is not a table");
  ExpectRefusal("[[job]]\nworkload = \"x\"\ntimeout = \"soon\"\n", 3, "timeout");
  ExpectRefusal("[[job]\nworkload = \"x\"\n", 1, "");
  EXPECT_THAT(Load("doc = \"d\"\n").status().message(), HasSubstr("has no [[job]]"));
  EXPECT_EQ(LoadSuite("nowhere.toml").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace fleetmark
