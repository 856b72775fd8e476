#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/run_spec.h"
#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// Invariant 3 (DISPATCHED commits before StartRun leaves) is checked by the harness at every StartRun.
TEST(CoreAttempts, ASubmitToAnIdleMachineIsDispatchedInTheSameCommit) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.commits = 0;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  ASSERT_THAT(lab.starts, SizeIs(1));
  EXPECT_LE(fleet.commits, 2) << "one for job, run and attempt, one for running";
  const v1::StartRunRequest& start = lab.starts[0];
  EXPECT_EQ(start.run_id(), run);
  EXPECT_EQ(start.on_disconnect(), "FINISH");
  EXPECT_EQ(start.incarnation(), lab.description.incarnation());
  EXPECT_EQ(start.spec_sha256(), SpecSha256(start.spec()));
  EXPECT_EQ(start.device_uuids(0), "uuid of cpu");
  EXPECT_EQ(start.max_runtime_s(), 3600);
  EXPECT_EQ(start.start_by().boot_id(), "boot");
  EXPECT_EQ(fleet.StateOf(run), "running");
}

TEST(CoreAttempts, ALostAnswerIsAskedForAndNotStartedTwice) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.on_start = OnStart::kLoseAnswer;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_THAT(lab.starts, SizeIs(1));
  EXPECT_TRUE(lab.cancels.empty());
}

TEST(CoreAttempts, ALostRequestIsReplannedOnlyAfterATombstone) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.on_start = OnStart::kLoseRequest;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_THAT(lab.cancels, SizeIs(1));
  ASSERT_THAT(lab.starts, SizeIs(1));
  EXPECT_NE(lab.starts[0].attempt_id(), lab.cancels[0]);
  const v1::RunInfo info = fleet.RunOf(run);
  EXPECT_EQ(info.state(), "running");
  ASSERT_EQ(info.attempts_size(), 2);
  EXPECT_EQ(info.attempts(0).state(), "refused");
  EXPECT_EQ(info.attempts(1).state(), "running");
}

TEST(CoreAttempts, ARefusalIsTriedAgainWithoutUsingARetry) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.on_start = OnStart::kRefuse;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  EXPECT_EQ(fleet.StateOf(run), "queued");
  EXPECT_THAT(fleet.ReasonOf(run), HasSubstr("refused: machine is used by another agent (pid 12)"));
  fleet.Advance(5);
  EXPECT_EQ(fleet.StateOf(run), "queued");
  EXPECT_LT(fleet.RunOf(run).attempts_size(), 10) << "with pauses";
  lab.on_start = OnStart::kRun;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "running");
}

// Found with two agents on one machine: the deadline was gone the moment it came, so that nothing was done, and the run
// waited for whatever came next, 10 s.
TEST(CoreAttempts, ARefusalsPauseEndsWithoutAnotherEvent) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.on_start = OnStart::kRefuse;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.on_start = OnStart::kRun;
  const int64_t pause_ns = fleet.core->NextWakeup(fleet.clock.Now()) - fleet.clock.Now().boottime_ns;
  EXPECT_LE(pause_ns, kNanosPerSecond);
  fleet.clock.Advance(static_cast<double>(pause_ns) * 1e-9 + 1e-3);
  EXPECT_LE(fleet.core->NextWakeup(fleet.clock.Now()), fleet.clock.Now().boottime_ns) << "it has come, not passed";
  fleet.Advance(0);
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_GT(fleet.core->NextWakeup(fleet.clock.Now()), fleet.clock.Now().boottime_ns) << "and is over";
}

TEST(CoreAttempts, AnUnreachableMachineMakesItsRunUnknownAndNoSecondAttempt) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("lab");
  request.set_retries(3);
  const std::string run = fleet.SubmitOne(request);
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(7 * 86'400);  // a FINISH run is never replanned by time alone
  const v1::RunInfo info = fleet.RunOf(run);
  EXPECT_EQ(info.state(), "running");
  EXPECT_THAT(info.reason(), HasSubstr("unreachable since"));
  EXPECT_THAT(info.reason(), HasSubstr("the result may still come"));
  ASSERT_EQ(info.attempts_size(), 1);
  EXPECT_EQ(info.attempts(0).state(), "unknown");
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.RunOf(run).attempts(0).state(), "running");
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
}

// Its machine slept, and comes back with a run that was given up and ends only now.
TEST(CoreAttempts, WhatWasGivenUpAndIsStillListedHasNothingToAcknowledge) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_retries(1);
  const std::string run = fleet.SubmitOne(request);
  const std::string first = lab.Running();
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(fleet.lease_s + 60);
  ASSERT_EQ(fleet.RunOf(run).attempts(0).failure().kind(), "lease_expired");
  lab.is_up = true;
  fleet.Advance(60);  // the harness's agents watch what is acknowledged
  EXPECT_FALSE(lab.attempts.contains(first)) << "reported once it was over, and acknowledged then";
}

TEST(CoreAttempts, AKillRunIsReplannedOnceItsLeaseAndTheKillBoundHavePassed) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_retries(1);
  const std::string run = fleet.SubmitOne(request);
  ASSERT_THAT(lab.starts, SizeIs(1));
  EXPECT_EQ(lab.starts[0].on_disconnect(), "KILL");
  EXPECT_EQ(lab.lease.boot_id(), "boot");
  ScriptedAgent& other = fleet.AddAgent("other");
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(fleet.lease_s - 1);
  EXPECT_THAT(other.starts, SizeIs(0));
  fleet.Advance(20);
  EXPECT_THAT(other.starts, SizeIs(1));
  EXPECT_EQ(fleet.RunOf(run).attempts(0).outcome(), "interrupted");
  EXPECT_EQ(fleet.RunOf(run).attempts(0).failure().kind(), "lease_expired");
}

// Found by the simulator: the machine came back, was leased anew and got the StartRun that had been under way, while
// the run was with another.
TEST(CoreAttempts, AStartRunStillUnderWayWhenTheLeaseRunsOutIsWaitedFor) {
  CoreHarness fleet;
  fleet.lease_s = 10;  // which ends before a StartRun comes too late
  fleet.RestartCoordinator();
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.is_silent = true;
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_retries(1);
  const std::string run = fleet.SubmitOne(request);
  ScriptedAgent& other = fleet.AddAgent("other");
  fleet.Advance(38);  // StartRun is good for 30 s, and the kill bound is 10 s
  EXPECT_THAT(other.starts, SizeIs(0));
  fleet.Advance(4);
  EXPECT_THAT(other.starts, SizeIs(1));
  EXPECT_EQ(fleet.RunOf(run).attempts(0).failure().kind(), "lease_expired");
}

TEST(CoreAttempts, AfterARestartOfTheCoordinatorALeaseCountsInFullFromThen) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_retries(1);
  fleet.SubmitOne(request);
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(fleet.lease_s - 5);
  ScriptedAgent& other = fleet.AddAgent("other");
  fleet.RestartCoordinator();
  fleet.Advance(30);
  EXPECT_THAT(other.starts, SizeIs(0));
  fleet.Advance(60);
  EXPECT_THAT(other.starts, SizeIs(1));
}

TEST(CoreAttempts, ALeaseIsNeverLongerThanTheAgentsClockAllows) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.Advance(100);
  const int64_t there = fleet.clock.Now().boottime_ns + 5'000 * kNanosPerSecond;  // as the harness reads it
  EXPECT_LE(lab.lease.until_boottime_ns(), there + SecondsToNanos(fleet.lease_s));
  EXPECT_GT(lab.lease.until_boottime_ns(), there);
}

TEST(CoreAttempts, InfrastructureFailuresAreRetriedAndFailuresOfTheWorkloadAreNot) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("lab");
  request.set_retries(1);
  const std::string run = fleet.SubmitOne(request);
  fleet.Finish(lab, "interrupted", true);
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_THAT(lab.starts, SizeIs(2));
  fleet.Finish(lab, "interrupted", true);
  EXPECT_EQ(fleet.StateOf(run), "interrupted") << "one retry was asked for";

  request.set_request_id("another");
  const std::string failing = fleet.SubmitOne(request);
  fleet.Finish(lab, "failed", false);
  EXPECT_EQ(fleet.StateOf(failing), "failed");
  EXPECT_THAT(fleet.ReasonOf(failing), HasSubstr("it was failed"));
  EXPECT_THAT(lab.starts, SizeIs(3));
}

TEST(CoreAttempts, AnAgentThatLostItsJournalInterruptsWhatItHad) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.is_up = false;
  fleet.Settle();
  lab.LoseJournal();
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "interrupted");
  EXPECT_EQ(fleet.RunOf(run).failure().kind(), "agent_restarted");
}

TEST(CoreAttempts, ARestartOfTheCoordinatorTakesUpWhatRuns) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string waiting = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.RestartCoordinator();
  EXPECT_EQ(fleet.StateOf(run), "running");
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_EQ(fleet.StateOf(waiting), "running");
  EXPECT_THAT(lab.starts, SizeIs(2));
  EXPECT_TRUE(lab.cancels.empty());
}

TEST(CoreAttempts, ACoordinatorThatDiedBeforeItsStartRunLeftPlansAgainAfterATombstone) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.is_silent = true;  // StartRun is answered by a broken connection, Sync by nothing
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.is_silent = false;
  fleet.RestartCoordinator();
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_THAT(lab.starts, SizeIs(1));
  EXPECT_THAT(lab.cancels, SizeIs(1));
}

TEST(CoreAttempts, CancelOfAQueuedRunIsImmediateAndOfARunningOneGoesToTheAgent) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string running = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string queued = fleet.SubmitOne(CoreHarness::Request("lab"));
  ASSERT_TRUE(fleet.Cancel({queued, running}).ok());
  EXPECT_EQ(fleet.StateOf(queued), "cancelled");
  EXPECT_EQ(fleet.StateOf(running), "cancelled");
  EXPECT_THAT(lab.cancels, SizeIs(1));
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
}

TEST(CoreAttempts, ACancelAfterTheResultWasStoredChangesNothing) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);
  ASSERT_TRUE(fleet.Cancel({run}).ok());
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_TRUE(lab.cancels.empty());
}

TEST(CoreAttempts, ACancelForAnUnreachableMachineIsDeliveredWhenItComesBack) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.is_up = false;
  fleet.Settle();
  ASSERT_TRUE(fleet.Cancel({run}).ok());
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_THAT(fleet.ReasonOf(run), HasSubstr("to be cancelled"));
  fleet.RestartCoordinator();
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "cancelled");
}

// Found by the simulator: the answer to each Sync had it asked for again, and each failure had a Sync sent.
TEST(CoreAttempts, ACancelThatAnAgentCannotTakeIsNotAskedForInABusyLoop) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  lab.failing_cancels = 100;
  ASSERT_TRUE(fleet.Cancel({run}).ok());
  EXPECT_THAT(lab.cancels, SizeIs(2)) << "again after a look at what it has";
  EXPECT_EQ(fleet.StateOf(run), "running");
  lab.failing_cancels = 0;
  fleet.Advance(10);  // the next answer to a Sync
  EXPECT_EQ(fleet.StateOf(run), "cancelled");
}

TEST(CoreAttempts, ARunThatWasInterruptedWhileItsCancelWasUnderWayIsNotRetried) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("lab");
  request.set_retries(5);
  const std::string run = fleet.SubmitOne(request);
  lab.is_up = false;
  fleet.Settle();
  ASSERT_TRUE(fleet.Cancel({run}).ok());
  lab.Restart();
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "cancelled");
  EXPECT_THAT(lab.starts, SizeIs(1));
}

}  // namespace
}  // namespace fleetmark
