#include <gtest/gtest.h>

#include "agent/agent_core.h"
#include "common/sha256.h"
#include "tests/unit/agent/core_harness.h"

namespace fleetmark::agent {
namespace {

// ---- Ends ----

TEST(AgentCoreEnd, TheReportIsJournaledWithItsHashBeforeAnybodyHears) {
  CoreHarness agent;
  agent.Run("a");
  agent.Advance(3);
  agent.End("a");
  ASSERT_EQ(1u, agent.last_.writes.size());
  const auto write = std::get<PutReport>(agent.last_.writes[0]);
  EXPECT_EQ(Sha256Hex(write.bytes), write.sha256);
  const v1::AttemptReport report = agent.Report("a");
  EXPECT_EQ("succeeded", report.outcome());
  EXPECT_EQ("run-a", report.run_id());
  EXPECT_EQ(3, report.finished_unix_s() - report.started_unix_s());
  const auto response = agent.Sync(agent.SyncRequest({"a"}, 1));
  ASSERT_EQ(1, response->pending_results_size());
  EXPECT_EQ(write.sha256, response->pending_results(0).sha256());
  EXPECT_EQ("result_ready", response->attempts(0).state());
}

TEST(AgentCoreEnd, ATimeLimitEndsItWithTermAndThenKill) {
  CoreHarness agent;
  agent.Run("a");
  agent.Advance(99);
  agent.Tick();
  EXPECT_FALSE(agent.Did<SignalWorker>());
  agent.Advance(1);
  ASSERT_EQ(agent.now_.boottime_ns, agent.core_->NextDeadline());
  agent.Tick();
  EXPECT_FALSE(CoreHarness::Find<SignalWorker>(agent.last_)->is_kill);
  agent.Advance(2);
  ASSERT_EQ(agent.now_.boottime_ns, agent.core_->NextDeadline());
  agent.Tick();
  EXPECT_TRUE(CoreHarness::Find<SignalWorker>(agent.last_)->is_kill);
  agent.End("a", "failed");
  EXPECT_EQ("timed_out", agent.Report("a").outcome());
  EXPECT_FALSE(agent.Report("a").retryable());
}

TEST(AgentCoreEnd, ACancelKillsWithinFourSecondsWhateverGraceItAsksFor) {
  CoreHarness agent;
  agent.Run("a");
  EXPECT_EQ("cancelling", agent.Cancel("a", 2, 3600));
  EXPECT_TRUE(agent.Did<SignalWorker>());
  EXPECT_LE(*agent.core_->NextDeadline(), agent.now_.boottime_ns + 4 * kNanosPerSecond);
  agent.End("a");
  EXPECT_EQ("cancelled", agent.Report("a").outcome());
  EXPECT_FALSE(agent.Report("a").has_result());
}

TEST(AgentCoreEnd, AConfirmedCancelSurvivesTheAgent) {
  CoreHarness agent;
  agent.Run("a");
  agent.Cancel("a", 2);
  agent.Restart(true);
  EXPECT_EQ("cancelled", agent.Report("a").outcome());
  EXPECT_FALSE(agent.Report("a").retryable()) << "nobody may try again what was cancelled";
}

TEST(AgentCoreEnd, ACancelAfterTheResultChangesNothing) {
  CoreHarness agent;
  agent.Run("a");
  agent.End("a");
  EXPECT_EQ("result_ready", agent.Cancel("a", 2));
  EXPECT_EQ("succeeded", agent.Report("a").outcome());
}

TEST(AgentCoreEnd, ACancelBetweenAcceptAndSpawnKeepsTheGateClosed) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  EXPECT_EQ("cancelling", agent.Cancel("a", 2));
  agent.Step(WorkerSpawned{"a", {100, 5, agent.boot_id_}});
  EXPECT_FALSE(agent.Did<OpenGate>());
  EXPECT_TRUE(CoreHarness::Find<SignalWorker>(agent.last_)->is_kill);
  agent.End("a", "failed");
  EXPECT_EQ("cancelled", agent.Report("a").outcome());
  EXPECT_EQ(0, agent.Report("a").started_unix_s());
}

TEST(AgentCoreEnd, ASyncThatDoesNotWantItCancelsIt) {
  CoreHarness agent;
  agent.Run("a");
  const auto response = agent.Sync(agent.SyncRequest({}, 1));
  EXPECT_EQ("cancelling", response->attempts(0).state());
  EXPECT_TRUE(agent.Did<SignalWorker>());
}

// One that was restored from a backup may not know yet of what it will count on.
TEST(AgentCoreEnd, TheFirstSyncOfACoordinatorOnlyAsks) {
  CoreHarness agent;
  agent.Run("a");
  v1::SyncRequest request = agent.SyncRequest({}, 0);
  *request.mutable_fence() = agent.Fence(0, 2);
  const auto response = agent.Sync(request);
  ASSERT_EQ("running", response->attempts(0).state());
  EXPECT_EQ("run-a", response->attempts(0).run_id());
  EXPECT_EQ("cpu", response->attempts(0).device());
  EXPECT_EQ(agent.StartRequest().spec_sha256(), response->attempts(0).spec_sha256());
  EXPECT_EQ("cancelling", agent.Sync(request)->attempts(0).state()) << "the second one knows";
}

TEST(AgentCoreEnd, AStopInterruptsWhatRunsAndWaitsForIt) {
  CoreHarness agent;
  agent.Run("a");
  agent.Step(StopRequested{});
  EXPECT_TRUE(agent.Did<SignalWorker>());
  EXPECT_FALSE(agent.Did<Stopped>());
  EXPECT_EQ("draining", agent.Start(agent.StartRequest("b")).kind());
  agent.End("a", "failed");
  EXPECT_TRUE(agent.Did<Stopped>());
  EXPECT_EQ("interrupted", agent.Report("a").outcome());
  EXPECT_TRUE(agent.Report("a").retryable());
}

// ---- Leases ----

v1::SyncRequest WithLease(const CoreHarness& agent, double seconds, const std::string& boot_id) {
  v1::SyncRequest request = agent.SyncRequest({"a"}, 1);
  request.mutable_lease()->set_boot_id(boot_id);
  request.mutable_lease()->set_until_boottime_ns(agent.now_.boottime_ns + SecondsToNanos(seconds));
  return request;
}

TEST(AgentCoreLease, AKillRunDiesWithItsLeaseAndAFinishRunDoesNot) {
  for (const char* policy : {"KILL", "FINISH"}) {
    CoreHarness agent;
    agent.Step(SyncCall{4, WithLease(agent, 10, agent.boot_id_)});
    v1::StartRunRequest request = agent.StartRequest();
    request.set_on_disconnect(policy);
    ASSERT_TRUE(agent.Start(request).ok());
    agent.Step(WorkerSpawned{"a", {100, 5, agent.boot_id_}});
    agent.Advance(6);
    agent.Step(SyncCall{4, WithLease(agent, 10, agent.boot_id_)});  // extends it
    agent.Advance(9);
    agent.Tick();
    EXPECT_FALSE(agent.Did<SignalWorker>());
    agent.Advance(1);
    agent.Tick();
    EXPECT_EQ(policy == std::string("KILL"), agent.Did<SignalWorker>());
    agent.End("a");
    EXPECT_EQ(policy == std::string("KILL") ? "interrupted" : "succeeded", agent.Report("a").outcome());
    EXPECT_EQ(policy == std::string("KILL") ? "lease_expired" : "", agent.Report("a").failure().kind());
  }
}

TEST(AgentCoreLease, OneOfAnotherBootIsVoid) {
  CoreHarness agent;
  agent.Step(SyncCall{4, WithLease(agent, 1000, "boot-0")});
  v1::StartRunRequest request = agent.StartRequest();
  request.set_on_disconnect("KILL");
  EXPECT_EQ("lease_expired", agent.Start(request).kind());
}

TEST(AgentCoreLease, AStaleSyncCannotExtendIt) {
  CoreHarness agent;
  agent.Step(SyncCall{4, WithLease(agent, 10, agent.boot_id_)});
  v1::StartRunRequest request = agent.StartRequest();
  *request.mutable_fence() = agent.Fence(2);
  request.set_on_disconnect("KILL");
  ASSERT_TRUE(agent.Start(request).ok());
  EXPECT_EQ("stale_fence", agent.Sync(WithLease(agent, 1000, agent.boot_id_)).status().kind());
  agent.Advance(10);
  agent.Step(WorkerSpawned{"a", {100, 5, agent.boot_id_}});
  agent.Tick();
  EXPECT_TRUE(agent.Did<SignalWorker>());
}

}  // namespace
}  // namespace fleetmark::agent
