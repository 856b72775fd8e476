#include "agent/worker/describe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/worker/parameters.h"
#include "agent/worker/workload.h"

namespace fleetmark {
namespace {

TEST(Describe, ListsEveryWorkloadSortedWithItsPrimaryMetricFirst) {
  const Json runner = DescribeRunner();
  EXPECT_EQ(runner["runtime"], "libtorch");
  EXPECT_EQ(runner["devices"][0]["name"], "cpu");
  EXPECT_EQ(runner["devices"][0]["uuid"], "cpu");
  std::vector<std::string> names;
  for (const Json& workload : runner["workloads"]) {
    names.push_back(workload["name"]);
    EXPECT_GE(workload["version"], 1);
    EXPECT_FALSE(workload["metrics"].empty());
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(runner["workloads"].size(), AllWorkloads().size());
}

TEST(Describe, TheWorkloadsPromiseWhatTheDocumentationSays) {
  std::map<std::string, std::string> primary;
  const Json runner = DescribeRunner();
  for (const Json& workload : runner["workloads"]) primary[workload["name"]] = workload["metrics"][0]["name"];
  EXPECT_EQ(primary.at("tensor_add"), "it_per_s");
  EXPECT_EQ(primary.at("mnist_cnn"), "samples_per_s");
}

TEST(Describe, WhatTheTunedProfileSetsIsAFieldOfTheParameter) {
  const Json runner = DescribeRunner();
  std::map<std::string, Json> tuned;
  for (const Json& workload : runner["workloads"]) {
    if (workload["name"] != "mnist_cnn") continue;
    for (const Json& parameter : workload["parameters"]) tuned[parameter["name"]] = parameter["tuned"];
  }
  EXPECT_EQ(tuned.at("kernels"), Json({{"cpu", "fused"}}));
  EXPECT_EQ(tuned.at("allocator"), Json({{"cpu", "retain"}, {"cuda", "retain"}}));
  EXPECT_EQ(tuned.at("batch"), Json::object());
}

TEST(Describe, EveryDefaultIsValidCanonicalAndEveryTunedSettingIsAParameter) {
  for (const WorkloadDefinition& definition : AllWorkloads()) {
    const auto parameters = Parameters::Parse(definition.parameters, {});
    ASSERT_TRUE(parameters.ok()) << definition.name << ": " << parameters.status().message();
    std::set<std::string> names;
    for (const ParameterSpec& spec : definition.parameters) {
      EXPECT_TRUE(names.insert(spec.name).second) << spec.name << " twice";
      EXPECT_EQ(parameters->Text(spec.name), spec.default_value) << definition.name << "." << spec.name;
      EXPECT_FALSE(spec.doc.empty()) << spec.name;
    }
    for (const auto& [kind, settings] : definition.tuned) {
      EXPECT_TRUE(Parameters::Parse(definition.parameters, settings).ok()) << definition.name << " on " << kind;
    }
  }
}

}  // namespace
}  // namespace fleetmark
