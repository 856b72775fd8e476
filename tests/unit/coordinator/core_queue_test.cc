#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST(CoreQueue, GoesByPriorityThenAgeThenRepetition) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.SubmitOne(CoreHarness::Request("lab"));
  v1::SubmitRequest twice = CoreHarness::Request("lab");
  twice.set_repeat(2);
  const v1::SubmitResponse old = *fleet.Submit(twice);
  const std::string young = fleet.SubmitOne(CoreHarness::Request("lab"));
  v1::SubmitRequest urgent = CoreHarness::Request("lab");
  urgent.set_priority(5);
  const std::string first = fleet.SubmitOne(urgent);
  EXPECT_EQ(fleet.RunOf(first).queue_position(), 1);
  EXPECT_EQ(fleet.RunOf(young).queue_position(), 4);
  for (int i = 0; i < 5; ++i) fleet.Finish(lab);
  std::vector<std::string> order;
  for (const v1::StartRunRequest& start : lab.starts) order.push_back(start.run_id());
  EXPECT_THAT(std::vector<std::string>(order.begin() + 1, order.end()),
              testing::ElementsAre(first, old.run_ids(0), old.run_ids(1), young));
}

TEST(CoreQueue, AnyRunsAndPinnedRunsShareOneOrder) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string any = fleet.SubmitOne(CoreHarness::Request("any"));
  const std::string pinned = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(any), "running");
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(pinned), "running");
}

TEST(CoreQueue, AnyRunsGoToWhateverMachineIsFree) {
  CoreHarness fleet;
  ScriptedAgent& one = fleet.AddAgent("one");
  ScriptedAgent& two = fleet.AddAgent("two");
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_repeat(3);
  const v1::SubmitResponse job = *fleet.Submit(request);
  EXPECT_THAT(one.starts, SizeIs(1));
  EXPECT_THAT(two.starts, SizeIs(1));
  EXPECT_EQ(fleet.RunOf(job.run_ids(2)).agent(), "");
  EXPECT_EQ(fleet.ReasonOf(job.run_ids(2)), "waits for any agent with cpu: 2 busy");
  fleet.Finish(two);
  EXPECT_EQ(fleet.RunOf(job.run_ids(2)).agent(), "two");
}

TEST(CoreQueue, SaysWhyARunWaits) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string running = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string next = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string last = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.ReasonOf(next), "waits for agent lab, which runs " + running.substr(0, 8) + " (tensor_add)");
  EXPECT_THAT(fleet.ReasonOf(last), HasSubstr(", 1 before it"));
  EXPECT_EQ(fleet.ReasonOf(running), "runs on agent lab, cpu");
  fleet.Finish(lab);
  fleet.Finish(lab);
  ASSERT_TRUE(fleet.Drain("lab", true).ok());
  const std::string drained = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.ReasonOf(drained), "waits for agent lab, which is draining");
  lab.is_up = false;
  fleet.Settle();
  EXPECT_THAT(fleet.ReasonOf(drained), StartsWith("waits for agent lab, offline since "));
}

TEST(CoreQueue, AJobForAMachineThatIsOfflineWaitsAndRunsWhenItIsBack) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.is_up = false;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.StateOf(run), "queued");
  fleet.RestartCoordinator();
  EXPECT_EQ(fleet.StateOf(run), "queued");
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "running");
}

TEST(CoreQueue, ADrainedMachineEndsItsRunAndTakesNoOther) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string waiting = fleet.SubmitOne(CoreHarness::Request("lab"));
  ASSERT_TRUE(fleet.Drain("lab", true).ok());
  EXPECT_TRUE(lab.draining);
  EXPECT_EQ(fleet.AgentOf("lab").state(), "draining");
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(waiting), "queued");
  ASSERT_TRUE(fleet.Drain("lab", false).ok());
  EXPECT_EQ(fleet.StateOf(waiting), "running");
}

TEST(CoreQueue, AMachineThatAcceptsNothingIsNotAsked) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.not_accepting = "disk nearly full";
  ++lab.revision;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_THAT(lab.starts, SizeIs(0));
  EXPECT_THAT(fleet.ReasonOf(run), HasSubstr("disk nearly full"));
  lab.not_accepting.clear();
  ++lab.revision;
  fleet.Settle();
  EXPECT_EQ(fleet.StateOf(run), "running");
}

TEST(CoreQueue, WhatAnAgentStillRunsUnwantedHoldsItsMachine) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.attempts["of another time"].set_state("cancelling");
  ++lab.revision;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_THAT(lab.starts, SizeIs(0));
  EXPECT_EQ(fleet.AgentOf("lab").state(), "busy");
  lab.attempts.clear();
  ++lab.revision;
  fleet.Settle();
  EXPECT_EQ(fleet.StateOf(run), "running");
}

}  // namespace
}  // namespace fleetmark
