#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/protocol_version.h"
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
  request.set_telemetry("alternate");
  EXPECT_THAT(Refusal(request).ToString(), HasSubstr("did you mean alternating?"));
  request = CoreHarness::Request("lab-1");
  request.set_repeat(-1);
  EXPECT_EQ(Refusal(request).code(), StatusCode::kInvalidArgument);
  request = CoreHarness::Request("any");
  request.add_on("lab-1");
  EXPECT_EQ(Refusal(request).code(), StatusCode::kInvalidArgument);
}

TEST_F(CoreSubmit, TelemetryModesReachTheAgent) {
  const auto sent = [&](const std::string& mode) {
    v1::SubmitRequest request = CoreHarness::Request("lab-1");
    request.set_telemetry(mode);
    fleet_.SubmitOne(request);
    ScriptedAgent& agent = *fleet_.agents.at("lab-1");
    fleet_.Finish(agent);
    return agent.starts.back();
  };
  for (const char* mode : {"", "on"}) {
    EXPECT_EQ(sent(mode).telemetry(), "") << "as agents without the feature understand it";
    EXPECT_THAT(sent(mode).required_features(), testing::IsEmpty());
  }
  for (const char* mode : {"off", "alternating"}) {
    EXPECT_EQ(sent(mode).telemetry(), mode);
    EXPECT_THAT(sent(mode).required_features(), testing::Contains(kTelemetryFeature));
  }
}

TEST_F(CoreSubmit, ATelemetryModeOutlivesTheCoordinator) {
  v1::SubmitRequest request = CoreHarness::Request("lab-1");
  request.set_telemetry("off");
  ASSERT_TRUE(fleet_.Drain("lab-1", true).ok());
  const std::string waits = fleet_.SubmitOne(request);
  EXPECT_EQ(fleet_.RunOf(waits).telemetry(), "off");
  fleet_.RestartCoordinator();
  EXPECT_TRUE(fleet_.Drain("lab-1", false).ok());
  EXPECT_EQ(fleet_.StateOf(waits), "running");
  EXPECT_EQ(fleet_.agents.at("lab-1")->starts.back().telemetry(), "off");
}

TEST_F(CoreSubmit, AnAgentThatIsTooOldForATelemetryModeIsRefusedOrLeftOut) {
  ScriptedAgent& old = *fleet_.agents.at("lab-1");
  old.description.clear_features();
  old.Restart();
  ASSERT_TRUE(fleet_.Register(old).ok());
  const auto without_telemetry = [](const std::string& on) {
    v1::SubmitRequest request = CoreHarness::Request(on);
    request.set_telemetry("off");
    return request;
  };
  EXPECT_THAT(Places(CoreHarness::Request("lab-1")), UnorderedElementsAre("lab-1 cpu"));
  fleet_.Finish(old);
  const Status refusal = Refusal(without_telemetry("lab-1"));
  EXPECT_EQ(refusal.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.message(), "agent lab-1 () is too old for --telemetry off");
  EXPECT_EQ(refusal.hint(), "install this version of Fleetmark there");
  const StatusOr<v1::SubmitResponse> response = fleet_.Submit(without_telemetry("all"));
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  ASSERT_EQ(response->run_ids_size(), 1);
  EXPECT_EQ(fleet_.RunOf(response->run_ids(0)).agent(), "lab-2");
  ASSERT_EQ(response->left_out_size(), 1);
  EXPECT_THAT(response->left_out(0), HasSubstr("lab-1"));
  fleet_.Finish(*fleet_.agents.at("lab-2"));
  EXPECT_EQ(fleet_.RunOf(fleet_.SubmitOne(without_telemetry("any"))).agent(), "lab-2") << "the one that obeys";
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
