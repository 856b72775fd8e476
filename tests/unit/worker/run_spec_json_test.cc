#include "agent/worker/run_spec_json.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(RunSpecJson, ReadsTheProtoJsonForm) {
  const auto spec = ParseRunSpec(R"({"workload": "mnist_cnn", "workload_version": 1, "runtime": "libtorch",
      "device": "cuda:0", "profile": "tuned", "parameters": {"epochs": "1"}, "dataset_dir": "/data",
      "ceilings": [{"resource": "arithmetic", "dtype": "bf16", "rate": 2.5e12, "measured_unix_s": 7}]})");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->workload, "mnist_cnn");
  EXPECT_EQ(spec->workload_version, 1);
  EXPECT_EQ(spec->runtime, "libtorch");
  EXPECT_EQ(spec->device, "cuda:0");
  EXPECT_EQ(spec->profile, "tuned");
  EXPECT_EQ(spec->parameters.at("epochs"), "1");
  EXPECT_EQ(spec->dataset_dir, "/data");
  ASSERT_EQ(spec->ceilings.size(), 1u);
  EXPECT_EQ(spec->ceilings[0].resource, "arithmetic");
  EXPECT_EQ(spec->ceilings[0].dtype, "bf16");
  EXPECT_EQ(spec->ceilings[0].rate, 2.5e12);
  EXPECT_EQ(spec->ceilings[0].measured_unix_s, 7);
}

TEST(RunSpecJson, AbsentAndEmptyFieldsHaveTheirDefaults) {
  const auto spec = ParseRunSpec(R"({"workload": "tensor_add", "device": "", "profile": ""})");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->device, "cpu");
  EXPECT_EQ(spec->profile, "stock");
}

TEST(RunSpecJson, RefusesWhatIsNotASpecification) {
  for (const char* text : {"",
                           "rubbish",
                           "[]",
                           "{",
                           "7",
                           "{}",
                           R"({"workload": 1})",
                           R"({"workload": ["a"]})",
                           R"({"workload": "a", "workload_version": "1"})",
                           R"({"workload": "a", "workload_version": -1})",
                           R"({"workload": "a", "parameters": []})",
                           R"({"workload": "a", "parameters": {"n": 5}})",
                           R"({"workload": "a", "ceilings": {}})",
                           R"({"workload": "a", "ceilings": [5]})",
                           R"({"workload": "a", "ceilings": [{"rate": "5"}]})",
                           R"({"workload": "a", "ceilings": [{"rate": "NaN"}]})",
                           R"({"workload": "a", "ceilings": [{"resource": "memory"}]})",
                           R"({"workload": "a", "ceilings": [{"resource": "memory", "rate": 0}]})",
                           R"({"workload": "a", "ceilings": [{"resource": 7, "rate": 5}]})",
                           R"({"workload": "a", "ceilings": [{"rate": 5, "measured_unix_s": true}]})"}) {
    EXPECT_EQ(ParseRunSpec(text).status().kind(), "bad_parameter") << text;
  }
}

TEST(RunSpecJson, NamesAnUnknownFieldAndTheOneThatWasMeant) {
  const Status status = ParseRunSpec(R"({"workload": "a", "devise": "cpu"})").status();
  EXPECT_NE(status.message().find("devise"), std::string::npos);
  EXPECT_NE(status.hint().find("device"), std::string::npos);
  const Status ceiling = ParseRunSpec(R"({"workload": "a", "ceilings": [{"rte": 5}]})").status();
  EXPECT_NE(ceiling.message().find("rte"), std::string::npos);
  EXPECT_NE(ceiling.hint().find("rate"), std::string::npos);
}

}  // namespace
}  // namespace fleetmark
