#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class CoreSubmit : public testing::Test {
 protected:
  CoreSubmit() {
    ScriptedAgent& one = fleet_.MakeAgent("lab-1");
    (*one.description.mutable_labels())["room"] = "a";
    (*one.description.mutable_labels())["gpu"] = "old";
    ScriptedAgent& two = fleet_.MakeAgent("lab-2");
    (*two.description.mutable_labels())["room"] = "a";
    EXPECT_TRUE(fleet_.Register(one).ok());
    EXPECT_TRUE(fleet_.Register(two).ok());
  }
  Status Refusal(const v1::SubmitRequest& request) { return fleet_.Submit(request).status(); }
  std::vector<std::string> Places(const v1::SubmitRequest& request) {
    const StatusOr<v1::SubmitResponse> response = fleet_.Submit(request);
    EXPECT_TRUE(response.ok()) << response.status().ToString();
    std::vector<std::string> places;
    for (const std::string& id : response->run_ids()) {
      const v1::RunInfo run = fleet_.RunOf(id);
      places.push_back(run.agent() + " " + run.device());
    }
    return places;
  }
  CoreHarness fleet_;
};

TEST_F(CoreSubmit, TargetsAreNamesAllOrLabels) {
  EXPECT_THAT(Places(CoreHarness::Request("lab-2")), UnorderedElementsAre("lab-2 cpu"));
  EXPECT_THAT(Places(CoreHarness::Request("all")), UnorderedElementsAre("lab-1 cpu", "lab-2 cpu"));
  EXPECT_THAT(Places(CoreHarness::Request("room=a")), UnorderedElementsAre("lab-1 cpu", "lab-2 cpu"));
  v1::SubmitRequest both = CoreHarness::Request("room=a");
  both.add_on("gpu=old");
  EXPECT_THAT(Places(both), UnorderedElementsAre("lab-1 cpu"));
}

TEST_F(CoreSubmit, DevicesAreOfTheTarget) {
  v1::SubmitRequest request = CoreHarness::Request("lab-1");
  request.set_device("");
  EXPECT_THAT(Places(request), UnorderedElementsAre("lab-1 cuda:0"));
  request = CoreHarness::Request("lab-1");
  request.set_device("cuda:1");
  EXPECT_THAT(Places(request), UnorderedElementsAre("lab-1 cuda:1"));
  request = CoreHarness::Request("lab-1");
  request.set_device("all");
  EXPECT_THAT(Places(request), UnorderedElementsAre("lab-1 cpu", "lab-1 cuda:0", "lab-1 cuda:1"));
}

TEST_F(CoreSubmit, AllRuntimesAreThoseThatTheMachineCanUse) {
  ScriptedAgent& agent = fleet_.MakeAgent("lab-3");
  v1::Runtime* second = agent.description.add_runtimes();
  *second = agent.description.runtimes(0);
  second->set_name("pytorch");
  second->mutable_description()->set_runtime("pytorch");
  v1::Runtime* absent = agent.description.add_runtimes();
  absent->set_name("keras-jax");
  absent->set_unavailable("it is not set up");
  ASSERT_TRUE(fleet_.Register(agent).ok());
  v1::SubmitRequest request = CoreHarness::Request("lab-3");
  request.set_runtime("all");
  const StatusOr<v1::SubmitResponse> response = fleet_.Submit(request);
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  std::vector<std::string> runtimes;
  for (const std::string& id : response->run_ids()) runtimes.push_back(fleet_.RunOf(id).runtime());
  EXPECT_THAT(runtimes, UnorderedElementsAre("libtorch", "pytorch"));
  ASSERT_EQ(response->left_out_size(), 1);
  EXPECT_THAT(response->left_out(0), HasSubstr("keras-jax: it is not set up"));
  request.clear_on();
  EXPECT_THAT(Refusal(request).message(), HasSubstr("--runtime all"));
  request = CoreHarness::Request("lab-3");
  request.set_runtime("all");
  (*request.mutable_parameters())["n"] = "1";
  EXPECT_EQ(Refusal(request).kind(), "bad_parameter");
}

TEST_F(CoreSubmit, EachRefusalNamesWhatIsWrongAndWhatThereIs) {
  v1::SubmitRequest request = CoreHarness::Request();
  request.set_workload("tensr_add");
  EXPECT_THAT(Refusal(request).ToString(), HasSubstr("did you mean tensor_add?"));

  EXPECT_THAT(Refusal(CoreHarness::Request("lab-9")).ToString(), HasSubstr("did you mean lab-1?"));
  EXPECT_THAT(Refusal(CoreHarness::Request("room=b")).ToString(), HasSubstr("did you mean room=a?"));

  request = CoreHarness::Request("lab-1");
  request.set_device("cuda:7");
  EXPECT_THAT(Refusal(request).ToString(), HasSubstr("cpu, cuda:0, cuda:1"));

  request = CoreHarness::Request("lab-1");
  (*request.mutable_parameters())["n"] = "1";
  EXPECT_THAT(Refusal(request).ToString(), HasSubstr("from 256 to 32768"));
  (*request.mutable_parameters())["n"] = "many";
  EXPECT_EQ(Refusal(request).kind(), "bad_parameter");
  request.mutable_parameters()->clear();
  (*request.mutable_parameters())["m"] = "1";
  EXPECT_THAT(Refusal(request).message(), HasSubstr("no parameter m"));

  request = CoreHarness::Request("lab-1");
  request.set_runtime("pytorch");
  EXPECT_EQ(Refusal(request).kind(), "unknown_runtime");
  request = CoreHarness::Request("lab-1");
  request.set_profile("fast");
  EXPECT_EQ(Refusal(request).code(), StatusCode::kInvalidArgument);
  request = CoreHarness::Request("lab-1");
  request.set_repeat(-1);
  EXPECT_EQ(Refusal(request).code(), StatusCode::kInvalidArgument);
  request = CoreHarness::Request("any");
  request.add_on("lab-1");
  EXPECT_EQ(Refusal(request).code(), StatusCode::kInvalidArgument);
}

TEST_F(CoreSubmit, ParametersTravelInCanonicalForm) {
  v1::SubmitRequest request = CoreHarness::Request("lab-1");
  (*request.mutable_parameters())["n"] = "0512";
  const v1::RunInfo run = fleet_.RunOf(fleet_.SubmitOne(request));
  EXPECT_EQ(run.parameters().at("n"), "512");
}

TEST(CoreSubmitAlone, WithoutAgentsSaysHowToGetOne) {
  CoreHarness fleet;
  const Status status = fleet.Submit(CoreHarness::Request()).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.hint(), HasSubstr("fleetmark-agent serve"));
}

}  // namespace
}  // namespace fleetmark
