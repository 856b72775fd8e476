#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/descent.h"
#include "tests/unit/coordinator/core_harness.h"

// The store is lost and a backup takes its place, while the agents remember everything.
namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(CoreRestore, ItsEpochIsAboveAllThatAgentsHaveSeenAndTheyTakeIt) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.BackUp();
  for (int restart = 0; restart < 5; ++restart) fleet.RestartCoordinator();
  const int before = lab.last_epoch;
  fleet.Restore();
  EXPECT_GT(lab.last_epoch, before);
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
}

TEST(CoreRestore, TheSameBackupCanBeRestoredAgain) {
  CoreHarness fleet;
  fleet.AddAgent("lab");
  fleet.BackUp();
  fleet.RestartCoordinator();
  fleet.Restore();
  fleet.RestartCoordinator();
  fleet.Advance(60);
  fleet.Restore();
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
}

TEST(CoreRestore, AnAgentThatJoinedAfterTheBackupRegistersAgain) {
  CoreHarness fleet;
  fleet.BackUp();
  fleet.RestartCoordinator();
  ScriptedAgent& late = fleet.AddAgent("late");
  fleet.Restore();
  EXPECT_TRUE(fleet.Register(late).ok());
  EXPECT_EQ(fleet.AgentOf("late").state(), "idle");
}

TEST(CoreRestore, ARunUnderWayGoesOnAndItsResultCounts) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.not_accepting = "disk nearly full";
  ++lab.revision;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.BackUp();  // it is queued
  lab.not_accepting = "";
  ++lab.revision;
  fleet.Settle();
  const std::string attempt = lab.Running();
  ASSERT_NE(attempt, "");
  fleet.Restore();
  EXPECT_EQ(lab.Running(), attempt) << "it was not cancelled";
  EXPECT_EQ(fleet.StateOf(run), "running");
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_THAT(lab.starts, SizeIs(1));
  fleet.Advance(1);
  EXPECT_THAT(lab.reports, IsEmpty()) << "acknowledged";
}

TEST(CoreRestore, AResultThatWasNotFetchedYetIsItsRunsResult) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.draining = true;
  ++lab.revision;
  fleet.Settle();
  lab.not_accepting = "disk nearly full";
  ++lab.revision;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.BackUp();
  lab.not_accepting = "";
  ++lab.revision;
  fleet.Settle();
  lab.cuts_reports = true;
  fleet.Finish(lab);
  lab.cuts_reports = false;
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_THAT(lab.starts, SizeIs(1)) << "and is not measured again";
  EXPECT_THAT(lab.reports, IsEmpty());
}

TEST(CoreRestore, AResultThatWentDownWithTheStoreIsMeasuredAgain) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.BackUp();  // it runs
  const std::string lost = lab.Running();
  fleet.Finish(lab);
  fleet.Advance(1);
  ASSERT_THAT(lab.reports, IsEmpty());
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_EQ(fleet.StateOf(run), "running") << "without --retries";
  EXPECT_NE(lab.Running(), lost);
  fleet.Finish(lab);
  const v1::RunInfo info = fleet.RunOf(run);
  EXPECT_EQ(info.state(), "succeeded");
  ASSERT_EQ(info.attempts_size(), 2);
  EXPECT_EQ(info.attempts(0).outcome(), "interrupted");
  EXPECT_EQ(info.attempts(0).failure().kind(), "lost_in_restore");
}

TEST(CoreRestore, AnAttemptThatTheStoreKnowsIsFetchedAsEver) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.BackUp();  // it runs
  lab.cuts_reports = true;
  fleet.Finish(lab);
  lab.cuts_reports = false;
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_EQ(fleet.RunOf(run).attempts_size(), 1);
}

TEST(CoreRestore, WhatIsOfAJobThatTheStoreNeverHeardOfIsEndedAndKeptApart) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  fleet.BackUp();
  fleet.SubmitOne(CoreHarness::Request("lab"));
  ASSERT_NE(lab.Running(), "");
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_EQ(lab.Running(), "");
  EXPECT_THAT(lab.reports, IsEmpty()) << "acknowledged";
  EXPECT_EQ(fleet.AgentOf("lab").state(), "idle");
}

// Another spec would be another measurement.
TEST(CoreRestore, AnAttemptWithAnotherSpecIsNotTaken) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.not_accepting = "disk nearly full";
  ++lab.revision;
  fleet.Settle();
  fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.BackUp();
  lab.not_accepting = "";
  ++lab.revision;
  fleet.Settle();
  const std::string attempt = lab.Running();
  lab.attempts[attempt].set_spec_sha256("another");
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_NE(lab.Running(), attempt);
  EXPECT_THAT(lab.starts, SizeIs(2));
}

// Invariant 9: an agent that is out of reach may be at the run, until its lease has ended it.
TEST(CoreRestore, AnAnyRunWaitsUntilNobodyCanBeAtItAnyMore) {
  CoreHarness fleet;
  ScriptedAgent& far = fleet.AddAgent("far");
  far.not_accepting = "disk nearly full";
  ++far.revision;
  fleet.Settle();
  const std::string run = fleet.SubmitOne(CoreHarness::Request("any"));
  fleet.BackUp();
  far.not_accepting = "";
  ++far.revision;
  fleet.Settle();
  fleet.Advance(20);
  ASSERT_NE(far.Running(), "");
  far.is_silent = true;
  ScriptedAgent& near = fleet.MakeAgent("near");
  fleet.Restore();
  ASSERT_TRUE(fleet.Register(near).ok());
  fleet.Advance(30);
  EXPECT_THAT(near.starts, IsEmpty());
  EXPECT_THAT(fleet.ReasonOf(run), HasSubstr("restored from a backup"));
  fleet.RestartCoordinator();  // it does not forget
  fleet.Advance(60);
  EXPECT_THAT(near.starts, IsEmpty());
  fleet.Advance(30);
  EXPECT_THAT(near.starts, SizeIs(1));
  fleet.Finish(near);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
}

TEST(CoreRestore, ResultsOfBeforeTheBackupNeverChange) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string attempt = lab.Running();
  fleet.Finish(lab);
  fleet.Advance(1);
  const std::string before = fleet.RunOf(run).SerializeAsString();
  fleet.BackUp();
  fleet.RestartCoordinator();
  fleet.Restore();
  fleet.Advance(1);
  EXPECT_EQ(fleet.RunOf(run).SerializeAsString(), before);
  const std::string result = fleet.RunOf(run).result().SerializeAsString();
  // And not by an agent whose journal is older, either.
  lab.ReportOtherBytes(attempt);
  fleet.Settle();
  fleet.Advance(1);
  EXPECT_EQ(fleet.RunOf(run).result().SerializeAsString(), result);
  EXPECT_EQ(fleet.RunOf(run).attempts(0).conflicts(), 1);
}

// ---- whose agents ----

v1::AgentDescription Saw(int epoch, const std::string& instance) {
  v1::AgentDescription description;
  description.set_name("lab");
  description.set_max_coordinator_epoch_seen(epoch);
  description.set_coordinator_instance_id_seen(instance);
  return description;
}

Epoch At(int epoch, std::vector<PastEpoch> past) {
  Epoch one;
  one.coordinator_epoch = epoch;
  one.past = std::move(past);
  return one;
}

TEST(Descent, ACoordinatorMayTakeOverFromThoseThatItsStoreRemembers) {
  const Epoch epoch = At(3, {{1, "a"}, {2, "b"}, {3, "c"}});
  EXPECT_TRUE(CheckDescent(epoch, Saw(0, "")).ok()) << "a new agent";
  EXPECT_TRUE(CheckDescent(epoch, Saw(1, "a")).ok());
  EXPECT_TRUE(CheckDescent(epoch, Saw(3, "c")).ok());
  EXPECT_TRUE(CheckDescent(epoch, Saw(2, "")).ok()) << "an older agent that does not say";
  EXPECT_EQ(CheckDescent(epoch, Saw(4, "d")).kind(), "old_epoch");
}

// It has been started so often that its number is the higher one.
TEST(Descent, ACopyBesideTheOriginalIsRefusedHoweverOftenItStarts) {
  const Epoch copy = At(9, {{1, "a"}, {2, "copy"}, {9, "copy 8"}});
  EXPECT_EQ(CheckDescent(copy, Saw(2, "original")).kind(), "other_coordinator");
  EXPECT_EQ(CheckDescent(copy, Saw(5, "original 4")).kind(), "other_coordinator");
  EXPECT_EQ(CheckDescent(copy, Saw(9, "original 8")).kind(), "other_coordinator");
}

TEST(Descent, ARestoreTakesWhatCameAfterTheBackupAndNothingThatCameAfterItself) {
  const Epoch restored = At(1'001, {{1, "a"}, {2, "b"}, {1'000, "", 2}, {1'001, "c"}});
  EXPECT_TRUE(CheckDescent(restored, Saw(2, "b")).ok());
  EXPECT_TRUE(CheckDescent(restored, Saw(7, "lost")).ok());
  EXPECT_TRUE(CheckDescent(restored, Saw(999, "lost")).ok());
  EXPECT_TRUE(CheckDescent(restored, Saw(2, "another")).ok()) << "a copy that ran beside the original, now stopped";
  EXPECT_EQ(CheckDescent(restored, Saw(1'001, "a copy of the restored one")).kind(), "other_coordinator");
}

TEST(Descent, AStoreFromBeforeEpochsWereKeptGoesByTheNumberThere) {
  const Epoch migrated = At(8, {{7, "a"}, {8, "b"}});
  EXPECT_TRUE(CheckDescent(migrated, Saw(6, "whoever")).ok());
  EXPECT_EQ(CheckDescent(migrated, Saw(7, "another")).kind(), "other_coordinator");
}

TEST(Descent, TheEpochOfARestoreFollowsTheTimeAndNeverGoesBack) {
  EXPECT_EQ(EpochOfRestore(3, 0, 0), 4) << "a clock at 1970";
  EXPECT_EQ(EpochOfRestore(3, 90, 0), 90);
  const int now = EpochOfRestore(3, 0, 1'800'000'000);
  EXPECT_GT(now, 20'000'000);
  EXPECT_GT(EpochOfRestore(3, 0, 1'800'000'000 + 60), now);
  EXPECT_EQ(EpochOfRestore(now, 0, 1'800'000'000), now + 1);
}

}  // namespace
}  // namespace fleetmark
