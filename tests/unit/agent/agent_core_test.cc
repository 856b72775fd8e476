#include "agent/agent_core.h"

#include <gtest/gtest.h>

#include "tests/unit/agent/core_harness.h"

namespace fleetmark::agent {
namespace {

// ---- Fences (invariant 6) ----

TEST(AgentCoreFence, ASyncBuiltBeforeAStartCannotCancelWhatItStarted) {
  CoreHarness agent;
  agent.Step(SyncCall{4, agent.SyncRequest({}, 0)});
  agent.Run("a");  // takes seq 1
  EXPECT_EQ("stale_fence", agent.Sync(agent.SyncRequest({}, 0)).status().kind());
  EXPECT_FALSE(agent.Did<SignalWorker>());
}

TEST(AgentCoreFence, IsKeptWithWhatItCausesAndOverARestart) {
  CoreHarness agent;
  agent.Run("a");
  EXPECT_EQ(1, agent.journal_.fence.seq);
  agent.Restart();
  EXPECT_EQ("stale_fence", agent.Sync(agent.SyncRequest({}, 0)).status().kind());
}

TEST(AgentCoreFence, ANewEpochBeginsItsSequenceAnew) {
  CoreHarness agent;
  agent.Step(SyncCall{4, agent.SyncRequest({}, 7)});
  v1::SyncRequest request = agent.SyncRequest({}, 1);
  *request.mutable_fence() = agent.Fence(1, 2);
  EXPECT_TRUE(agent.Sync(request).ok());
  EXPECT_EQ("stale_fence", agent.Sync(agent.SyncRequest({}, 8)).status().kind()) << "the old epoch is over";
}

TEST(AgentCoreFence, IdlePollingWritesNothing) {
  CoreHarness agent;
  agent.Step(SyncCall{4, agent.SyncRequest({}, 1)});
  agent.Step(SyncCall{4, agent.SyncRequest({}, 1)});
  EXPECT_TRUE(agent.last_.writes.empty());
}

// ---- Tombstones and acknowledgements (invariants 4, 5, 8) ----

TEST(AgentCoreTombstone, ACancelBeforeTheStartForbidsItAlsoAfterARestart) {
  CoreHarness agent;
  EXPECT_EQ("tombstone", agent.Cancel("a", 2));
  v1::StartRunRequest request = agent.StartRequest();
  EXPECT_EQ("tombstone", agent.StartState(request));
  agent.Restart();
  *request.mutable_fence() = agent.Fence(9);
  EXPECT_EQ("tombstone", agent.StartState(request));
  EXPECT_EQ(0, agent.spawns("a"));
  EXPECT_EQ("tombstone", agent.Sync(agent.SyncRequest({}, 2))->attempts(0).state());
}

TEST(AgentCoreTombstone, OfAnAttemptForAnotherJournalIsRefused) {
  CoreHarness agent;
  const std::string incarnation = agent.StartRequest().incarnation();
  EXPECT_EQ("other_incarnation", agent.Cancel("a", 2, 0, "the one before"));
  EXPECT_EQ("accepted", agent.StartState(agent.StartRequest()));
  EXPECT_EQ("tombstone", agent.Cancel("b", 3, 0, incarnation));
}

TEST(AgentCoreTombstone, StandsUntilNoStartCanBeAcceptedAnyMore) {
  CoreHarness agent;
  agent.Cancel("a", 2);
  agent.Advance(29);
  agent.Step(PurgeDue{});
  EXPECT_EQ(1u, agent.journal_.retired.count("a"));
  agent.Advance(20);
  agent.Step(PurgeDue{});
  EXPECT_EQ(0u, agent.journal_.retired.count("a"));
}

v1::SyncRequest WithAck(const CoreHarness& agent, const std::string& sha256) {
  v1::SyncRequest request = agent.SyncRequest({}, 1);
  v1::Ack* ack = request.add_acks();
  ack->set_attempt_id("a");
  ack->set_sha256(sha256);
  return request;
}

TEST(AgentCoreAck, PrunesOnlyTheBytesItNamesAndKeepsTheId) {
  CoreHarness agent;
  agent.Run("a");
  agent.End("a");
  agent.Step(SyncCall{4, WithAck(agent, "other bytes")});
  EXPECT_EQ(1u, agent.journal_.attempts.count("a"));
  agent.Step(SyncCall{4, WithAck(agent, agent.journal_.attempts.at("a").report_sha256)});
  EXPECT_EQ(0u, agent.journal_.attempts.count("a"));
  EXPECT_EQ("pruned", agent.StartState(agent.StartRequest()));
  agent.Restart();
  EXPECT_EQ("pruned", agent.StartState(agent.StartRequest()));
  EXPECT_EQ(1, agent.spawns("a"));
}

TEST(AgentCoreAck, OfWhatStillRunsDoesNothing) {
  CoreHarness agent;
  agent.Run("a");
  v1::SyncRequest request = WithAck(agent, "");
  request.add_desired_attempt_ids("a");
  agent.Step(SyncCall{4, request});
  EXPECT_EQ(1u, agent.journal_.attempts.count("a"));
}

TEST(AgentCoreAck, APrunedIdIsForgottenAfterItsStartBy) {
  CoreHarness agent;
  agent.Run("a");
  agent.End("a");
  agent.Step(SyncCall{4, WithAck(agent, agent.journal_.attempts.at("a").report_sha256)});
  agent.Advance(60);
  agent.Step(PurgeDue{});
  EXPECT_TRUE(agent.journal_.retired.empty());
}

// A disk that is full must not keep deadlines from being acted on.
TEST(AgentCoreAck, ATickWritesNothingEvenWhenIdsAreDue) {
  CoreHarness agent;
  agent.Cancel("a", 2);
  agent.Advance(3600);
  EXPECT_TRUE(agent.Tick().writes.empty());
}

TEST(AgentCoreReport, TheFirstEndStands) {
  CoreHarness agent;
  agent.Run("a");
  agent.End("a");
  const std::string sha256 = agent.journal_.attempts.at("a").report_sha256;
  EXPECT_TRUE(agent.Step(StaleWorkerGone{"a"}).writes.empty());
  EXPECT_TRUE(agent.Step(WorkerSpawned{"a", {}}).effects.empty()) << "told after its end: no gate is opened";
  EXPECT_TRUE(agent.Step(WorkerEnded{"unheard of", {}}).writes.empty());
  EXPECT_EQ(sha256, agent.journal_.attempts.at("a").report_sha256);
  EXPECT_EQ(0u, agent.journal_.attempts.count("unheard of"));
}

// ---- Recovery (invariant 2) ----

TEST(AgentCoreRecovery, WhatRanIsKilledThenInterruptedAndNeverSpawnedAgain) {
  CoreHarness agent;
  agent.Run("a");
  const Outcome outcome = agent.Restart();
  const auto* stale = CoreHarness::Find<KillStaleWorker>(outcome);
  ASSERT_NE(nullptr, stale);
  EXPECT_EQ(100, stale->process.pid);
  EXPECT_TRUE(agent.reports_.empty()) << "not before its worker is gone";
  agent.Step(StaleWorkerGone{"a"});
  EXPECT_EQ("interrupted", agent.Report("a").outcome());
  EXPECT_EQ("agent_restarted", agent.Report("a").failure().kind());
  EXPECT_TRUE(agent.Report("a").retryable());
  EXPECT_EQ(1, agent.spawns("a"));
}

TEST(AgentCoreRecovery, WhatWasOnlyAcceptedIsInterruptedWithoutASpawn) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  const Outcome outcome = agent.Restart();
  EXPECT_EQ(nullptr, CoreHarness::Find<KillStaleWorker>(outcome));
  EXPECT_EQ(nullptr, CoreHarness::Find<SpawnWorker>(outcome));
  EXPECT_EQ("interrupted", agent.Report("a").outcome());
}

TEST(AgentCoreRecovery, AfterARebootNoProcessIsTouched) {
  CoreHarness agent;
  agent.Run("a");
  EXPECT_EQ(nullptr, CoreHarness::Find<KillStaleWorker>(agent.Restart(true)));
  EXPECT_EQ("interrupted", agent.Report("a").outcome());
}

TEST(AgentCoreRecovery, AReportIsOfferedAgainUnchanged) {
  CoreHarness agent;
  agent.Run("a");
  agent.End("a");
  const std::string sha256 = agent.journal_.attempts.at("a").report_sha256;
  agent.Restart();
  const auto response = agent.Sync(agent.SyncRequest({"a"}, 1));
  ASSERT_EQ(1, response->pending_results_size());
  EXPECT_EQ(sha256, response->pending_results(0).sha256());
}

TEST(AgentCoreRecovery, DrainingIsRemembered) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Drain(true, 1).ok());
  agent.Restart();
  EXPECT_EQ("draining", agent.Start(agent.StartRequest()).kind());
  EXPECT_TRUE(agent.Sync(agent.SyncRequest({}, 1))->draining());
  EXPECT_TRUE(agent.Drain(false, 2).ok());
  v1::StartRunRequest request = agent.StartRequest();
  *request.mutable_fence() = agent.Fence(3);
  EXPECT_TRUE(agent.Start(request).ok());
}

// ---- Sync as a long poll ----

TEST(AgentCoreSync, WaitsUntilSomethingChanges) {
  CoreHarness agent;
  v1::SyncRequest request = agent.SyncRequest({"a"}, 1);
  request.set_known_revision(agent.Sync(request)->revision());
  request.set_wait_s(20);
  EXPECT_FALSE(agent.Sync(request).ok()) << "nothing new";
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  bool was_answered = false;
  for (const Effect& effect : agent.last_.effects) {
    const Reply* reply = std::get_if<Reply>(&effect);
    if (reply != nullptr && reply->call == 4) was_answered = true;
  }
  EXPECT_TRUE(was_answered);
}

TEST(AgentCoreSync, AnswersAfterItsTime) {
  CoreHarness agent;
  v1::SyncRequest request = agent.SyncRequest({}, 1);
  request.set_known_revision(agent.Sync(request)->revision());
  request.set_wait_s(20);
  agent.Step(SyncCall{4, request});
  agent.Advance(20);
  ASSERT_EQ(agent.now_.boottime_ns, agent.core_->NextDeadline());
  agent.Tick();
  EXPECT_TRUE(agent.Did<Reply>());
  EXPECT_EQ(std::nullopt, agent.core_->NextDeadline());
}

TEST(AgentCoreSync, OfACallerThatWentIsNotAnswered) {
  CoreHarness agent;
  v1::SyncRequest request = agent.SyncRequest({}, 1);
  request.set_known_revision(agent.Sync(request)->revision());
  request.set_wait_s(20);
  agent.Step(SyncCall{4, request});
  agent.Step(CallGone{4});
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  EXPECT_EQ(1u, CoreHarness::Find<Reply>(agent.last_)->call);
}

TEST(AgentCoreSync, MeantForAnotherIncarnationIsRefused) {
  CoreHarness agent;
  v1::SyncRequest request = agent.SyncRequest({}, 1);
  request.set_incarnation("x");
  EXPECT_EQ("other_incarnation", agent.Sync(request).status().kind());
}

// ---- Commits that fail ----

TEST(AgentCoreRollback, LeavesTheCoreAsTheJournalHasIt) {
  CoreHarness agent;
  agent.Run("a");
  const auto before = agent.Sync(agent.SyncRequest({"a"}, 1))->SerializeAsString();
  v1::StartRunRequest request = agent.StartRequest("b");
  *request.mutable_fence() = agent.Fence(9);
  agent.StepWithoutCommit(StartRunCall{1, request, OkStatus()});
  v1::AttemptReport draft;
  draft.set_outcome("succeeded");
  agent.StepWithoutCommit(WorkerEnded{"a", draft});
  v1::CancelRunRequest cancel;
  *cancel.mutable_fence() = agent.Fence(9);
  cancel.set_attempt_id("c");
  agent.StepWithoutCommit(CancelRunCall{1, cancel});
  EXPECT_EQ(before, agent.Sync(agent.SyncRequest({"a"}, 1))->SerializeAsString());
  EXPECT_EQ(1, agent.core_->fence().seq);
  agent.End("a");  // and the same event can come again
  EXPECT_EQ("succeeded", agent.Report("a").outcome());
}

}  // namespace
}  // namespace fleetmark::agent
