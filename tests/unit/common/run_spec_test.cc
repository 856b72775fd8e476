#include "common/run_spec.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

v1::WorkloadSpec ExampleWorkload() {
  v1::WorkloadSpec workload;
  workload.set_name("tensor_add");
  auto* n = workload.add_parameters();
  n->set_name("n");
  n->set_type("int");
  n->set_default_value("12288");
  n->set_min(256);
  n->set_max(32768);
  n->set_defines_board(true);
  auto* variant = workload.add_parameters();
  variant->set_name("variant");
  variant->set_type("choice");
  variant->set_default_value("torchscript");
  variant->add_choices("torchscript");
  variant->add_choices("inplace");
  variant->set_defines_board(true);
  auto* until = workload.add_parameters();
  until->set_name("until_ci");
  until->set_type("double");
  until->set_default_value("0");
  until->set_min(0);
  auto* flag = workload.add_parameters();
  flag->set_name("compile");
  flag->set_type("bool");
  flag->set_default_value("false");
  return workload;
}

TEST(CheckParameters, MakesValuesCanonical) {
  const auto checked = CheckParameters(
      ExampleWorkload(), {{"n", "0512"}, {"variant", "inplace"}, {"until_ci", "0.010"}, {"compile", "true"}});
  ASSERT_TRUE(checked.ok()) << checked.status().ToString();
  EXPECT_EQ(checked->at("n"), "512");
  EXPECT_EQ(checked->at("until_ci"), "0.01");
}

TEST(CheckParameters, RefusesAndNamesWhatIsWrong) {
  const struct {
    const char* name;
    const char* value;
    const char* says;
  } kCases[] = {
      {"n", "12x", "whole number"},   {"n", "", "whole number"},        {"n", "255", "from 256 to 32768"},
      {"n", "1e3", "whole number"},   {"until_ci", "nan", "a number"},  {"until_ci", "-1", "at least 0"},
      {"compile", "yes", "true nor"}, {"variant", "inplce", "choices"}, {"m", "1", "has no parameter m"},
  };
  for (const auto& test : kCases) {
    const auto checked = CheckParameters(ExampleWorkload(), {{test.name, test.value}});
    ASSERT_FALSE(checked.ok()) << test.name << "=" << test.value;
    EXPECT_EQ(checked.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(checked.status().message().find(test.says), std::string::npos) << checked.status().message();
    EXPECT_FALSE(checked.status().hint().empty());
  }
}

TEST(CheckBoardParameters, RefusesWhatChoosesNoBoard) {
  EXPECT_TRUE(CheckBoardParameters(ExampleWorkload(), {{"n", "512"}}).ok());
  const Status refusal = CheckBoardParameters(ExampleWorkload(), {{"n", "512"}, {"compile", "true"}}).status();
  EXPECT_EQ(refusal.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refusal.message().find("compile"), std::string::npos) << refusal.message();
}

TEST(CheckAgentName, RefusesWhatATargetCouldNotBe) {
  for (const char* good : {"lab-1", "a", "node_7.example"}) EXPECT_TRUE(CheckAgentName(good).ok()) << good;
  for (const char* bad : {"", "all", "any", "a b", "room=a", "lab/1"}) EXPECT_FALSE(CheckAgentName(bad).ok()) << bad;
}

TEST(BoardKey, HoldsDefaultsAndLeavesOutWhatDoesNotDefineABoard) {
  EXPECT_EQ(BoardKey(ExampleWorkload(), {}), "n=12288 variant=torchscript");
  EXPECT_EQ(BoardKey(ExampleWorkload(), {{"until_ci", "0.1"}, {"n", "256"}}), "n=256 variant=torchscript");
}

TEST(OverridesKey, HoldsWhatWasSetOverTheProfile) {
  v1::WorkloadSpec workload = ExampleWorkload();
  for (const char* name : {"threads", "allocator"}) {
    v1::ParameterSpec* parameter = workload.add_parameters();
    parameter->set_name(name);
    parameter->set_default_value("0");
    parameter->set_tunable(true);
  }
  EXPECT_EQ(OverridesKey(workload, "stock", {{"n", "256"}}), "");
  EXPECT_EQ(OverridesKey(workload, "stock", {{"threads", "2"}, {"allocator", "retain"}, {"n", "256"}}),
            "allocator=retain threads=2");
  EXPECT_EQ(OverridesKey(workload, "stock", {{"threads", "0"}}), "") << "stock has it anyway";
  EXPECT_EQ(OverridesKey(workload, "tuned", {{"threads", "0"}}), "threads=0") << "tuned may have another";
}

TEST(SpecSha256, IsOfTheContentAlone) {
  v1::RunSpec a;
  a.set_workload("tensor_add");
  (*a.mutable_parameters())["n"] = "256";
  (*a.mutable_parameters())["variant"] = "inplace";
  v1::RunSpec b;
  (*b.mutable_parameters())["variant"] = "inplace";
  (*b.mutable_parameters())["n"] = "256";
  b.set_workload("tensor_add");
  b.set_dataset_dir("/elsewhere");
  b.add_ceilings()->set_rate(5);
  EXPECT_EQ(SpecSha256(a), SpecSha256(b));
  b.set_device("cuda:0");
  EXPECT_NE(SpecSha256(a), SpecSha256(b));
}

}  // namespace
}  // namespace fleetmark
