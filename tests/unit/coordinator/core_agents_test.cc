#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;

TEST(CoreAgents, ARegisteredAgentIsCalledBackAndIdle) {
  CoreHarness fleet;
  fleet.AddAgent("lab");
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
  EXPECT_EQ(fleet.AgentOf("lab").devices_size(), 3);
}

TEST(CoreAgents, ABriefListHasWhatATableShows) {
  CoreHarness fleet;
  fleet.AddAgent("lab");
  v1::ListAgentsRequest request;
  const v1::AgentInfo whole = fleet.core->Agents(fleet.clock.Now(), request).agents(0);
  request.set_brief(true);
  const v1::AgentInfo brief = fleet.core->Agents(fleet.clock.Now(), request).agents(0);
  ASSERT_EQ(whole.runtimes_size(), 1);
  ASSERT_EQ(brief.runtimes_size(), 1);
  EXPECT_GT(whole.runtimes(0).description().workloads_size(), 0);
  EXPECT_EQ(brief.runtimes(0).description().workloads_size(), 0);
  EXPECT_EQ(brief.runtimes(0).name(), whole.runtimes(0).name());
  EXPECT_EQ(brief.runtimes(0).description().runtime_version(), whole.runtimes(0).description().runtime_version());
  ASSERT_EQ(brief.devices_size(), whole.devices_size());
  EXPECT_EQ(brief.devices(0).name(), whole.devices(0).name());
  EXPECT_EQ(brief.devices(0).model(), whole.devices(0).model());
  EXPECT_EQ(brief.state(), "idle");
  EXPECT_FALSE(brief.has_host());
  EXPECT_GT(whole.features_size(), 0);
  EXPECT_EQ(brief.features_size(), 0);
}

TEST(CoreAgents, ABriefListSaysOnceWhatAgentsHaveInCommon) {
  CoreHarness fleet;
  fleet.AddAgent("a");
  fleet.AddAgent("b");
  ScriptedAgent& other = fleet.MakeAgent("c");
  other.description.mutable_devices(0)->set_model("another processor");
  ASSERT_TRUE(fleet.Register(other).ok());
  fleet.AddAgent("d");
  v1::ListAgentsRequest request;
  request.set_brief(true);
  const v1::ListAgentsResponse every_time = fleet.core->Agents(fleet.clock.Now(), request);
  request.set_once(true);
  const v1::ListAgentsResponse once = fleet.core->Agents(fleet.clock.Now(), request);
  ASSERT_EQ(once.agents_size(), 4);
  for (int i = 0; i < 4; ++i) {
    v1::AgentInfo agent = once.agents(i);
    EXPECT_EQ(agent.has_like(), i == 1 || i == 3) << i;
    if (agent.has_like()) {
      EXPECT_EQ(agent.like(), 0);
      EXPECT_TRUE(agent.devices().empty() && agent.runtimes().empty() && agent.version().empty());
      *agent.mutable_devices() = once.agents(0).devices();
      *agent.mutable_runtimes() = once.agents(0).runtimes();
      *agent.mutable_labels() = once.agents(0).labels();
      agent.set_version(once.agents(0).version());
      agent.clear_like();
    }
    EXPECT_EQ(agent.SerializeAsString(), every_time.agents(i).SerializeAsString());
  }
}

TEST(CoreAgents, OneThatCannotBeCalledBackIsRefused) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.MakeAgent("lab");
  lab.is_up = false;
  const Status status = fleet.Register(lab);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.hint(), HasSubstr("--advertise"));
}

TEST(CoreAgents, ASecondProcessWithTheSameIdentityIsRefusedAndTheFirstGoesOn) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  ScriptedAgent& copy = fleet.MakeAgent("copy");
  copy.description = lab.description;
  copy.description.set_process_id("another process");
  for (int i = 0; i < 3; ++i) {
    const Status status = fleet.Register(copy);
    EXPECT_EQ(status.kind(), "identity_taken");
    EXPECT_THAT(status.message(), HasSubstr("lab"));
    EXPECT_EQ(fleet.AgentOf("lab").address(), lab.address);
  }
  fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(lab.starts.size(), 1u);
  EXPECT_TRUE(copy.starts.empty());
}

TEST(CoreAgents, AnAgentMovesWhenItsOldAddressIsDead) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.address = "lab:9999";
  lab.Restart();
  const Status status = fleet.Register(lab);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(fleet.AgentOf("lab").address(), "lab:9999");
  EXPECT_EQ(fleet.StateOf(run), "interrupted") << "its restart ended the run, and its report was fetched";
}

TEST(CoreAgents, ATakenNameIsRefusedWithWhatToDo) {
  CoreHarness fleet;
  fleet.AddAgent("lab");
  ScriptedAgent& other = fleet.MakeAgent("other");
  other.description.set_name("lab");
  const Status status = fleet.Register(other);
  EXPECT_EQ(status.kind(), "name_taken");
  EXPECT_THAT(status.hint(), HasSubstr("--name"));
}

TEST(CoreAgents, OneOfAnotherClusterOrProtocolIsRefusedByName) {
  CoreHarness fleet;
  ScriptedAgent& foreign = fleet.MakeAgent("foreign");
  foreign.description.set_cluster_id("another cluster");
  EXPECT_EQ(fleet.Register(foreign).kind(), "other_cluster");
  ScriptedAgent& future = fleet.MakeAgent("future");
  future.description.set_protocol_min(7);
  future.description.set_protocol_max(9);
  EXPECT_EQ(fleet.Register(future).kind(), "protocol");
  ScriptedAgent& later = fleet.MakeAgent("later");
  later.description.set_max_coordinator_epoch_seen(99);
  EXPECT_EQ(fleet.Register(later).kind(), "old_epoch");
}

TEST(CoreAgents, ARefusedConnectionIsOfflineAtOnceAndSilenceAfterAWhile) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  ScriptedAgent& quiet = fleet.AddAgent("quiet");
  lab.is_up = false;
  quiet.is_silent = true;
  fleet.Settle();
  EXPECT_EQ(fleet.AgentOf("lab").state(), "offline");
  EXPECT_THAT(fleet.AgentOf("lab").reason(), HasSubstr("Connection refused"));
  EXPECT_EQ(fleet.AgentOf("quiet").state(), "idle");
  fleet.Advance(31);
  EXPECT_EQ(fleet.AgentOf("quiet").state(), "offline");
}

TEST(CoreAgents, RegisterMakesAnOfflineAgentReachableAtOnce) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(3'600);
  lab.is_up = true;
  ASSERT_TRUE(fleet.Register(lab).ok());
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
}

TEST(CoreAgents, TheStoreBringsThemBackAfterARestart) {
  CoreHarness fleet;
  fleet.AddAgent("lab");
  fleet.RestartCoordinator();
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
}

TEST(CoreAgents, OneWithWorkIsNotRemoved) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.Remove("lab").code(), StatusCode::kFailedPrecondition);
  fleet.Finish(lab);
  EXPECT_TRUE(fleet.Remove("lab").ok());
  EXPECT_EQ(fleet.AgentOf("lab").name(), "");
  EXPECT_EQ(fleet.StateOf(run), "succeeded") << "its results are kept";
  EXPECT_EQ(fleet.Remove("lab").code(), StatusCode::kNotFound);
}

TEST(CoreAgents, RemovingADeadMachineEndsItsCancelledRuns) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.is_up = false;
  fleet.Settle();
  EXPECT_FALSE(fleet.Remove("lab").ok());
  ASSERT_TRUE(fleet.Cancel({run}).ok());
  EXPECT_TRUE(fleet.Remove("lab").ok());
  EXPECT_EQ(fleet.StateOf(run), "cancelled");
}

// The old address of an agent that moves is asked before it is admitted, and others join meanwhile.
TEST(CoreAgents, ANameThatWasTakenWhileTheOldAddressWasAskedIsRefused) {
  FakeClock clock;
  AgentRecord known;
  known.description = ScriptedAgent("lab").description;
  known.agent_id = known.description.agent_id();
  known.address = "lab:7810";
  StoredState stored;
  stored.agents.push_back(known);
  CoordinatorCore core(CoreConfig(), stored, clock.Now());
  Effects effects;
  const auto step = [&](const Event& event) {
    effects = {};
    core.Step(event, clock.Now(), &effects);
  };
  const auto described = [&] { return std::get<DescribeCall>(effects.calls.back()).call; };

  ScriptedAgent moved("lab");
  moved.description.set_name("new");
  step(AddAgentAsked{1, "elsewhere:7810", moved.description});
  step(Described{described(), OkStatus(), moved.description});
  const uint64_t old_address = described();
  const ScriptedAgent other("new");
  step(AddAgentAsked{2, other.address, other.description});
  step(Described{described(), OkStatus(), other.description});
  ASSERT_TRUE(effects.replies.at(0).status.ok());
  step(Described{old_address, Unavailable("refused"), {}});
  EXPECT_EQ(effects.replies.at(0).status.kind(), "name_taken");
}

}  // namespace
}  // namespace fleetmark
