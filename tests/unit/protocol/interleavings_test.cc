// The orders of events that are known to break protocols like this one, each staged with a real coordinator, real
// agents and a post office between them. Two are elsewhere: an agent killed between fork and SPAWNED, and locks that
// are unlocked or inherited, need processes that die (tests/integration).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "tests/unit/agent/agent_fixture.h"
#include "tests/unit/protocol/fleet_fixture.h"

namespace fleetmark {
namespace {

using agent::WaitUntil;
using testing::HasSubstr;
using testing::SizeIs;

using Interleavings = FleetFixture;

TEST_F(Interleavings, ASyncBuiltBeforeAStartRunAndDeliveredAfterItEndsNothing) {
  const auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*coordinator, *lab);
  const v1::SyncRequest early = lab->post.syncs().back();
  ASSERT_EQ(early.desired_attempt_ids_size(), 0);
  const std::string run = Submit(*coordinator, "succeed", "lab", 1);
  WaitForState(*coordinator, run, "running");
  EXPECT_EQ(lab->post.Deliver(early).status().kind(), "stale_fence");
  const v1::RunInfo ended = WaitForState(*coordinator, run, "succeeded");
  EXPECT_THAT(ended.attempts(), SizeIs(1));
}

TEST_F(Interleavings, AStartRunThatArrivesAfterItsRunWasReplannedStartsNothing) {
  const auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*coordinator, *lab);
  lab->post.KeepNextStart();
  const std::string run = Submit(*coordinator, "succeed", "lab", 1);
  ASSERT_TRUE(WaitUntil([&] { return lab->post.starts().size() == 2; })) << "it is planned again";
  const v1::StartRunRequest late = lab->post.starts().front();
  for (const char* moment : {"while the second runs", "after it"}) {
    const StatusOr<v1::AttemptStatus> answer = lab->post.Deliver(late);
    EXPECT_EQ(answer.ok() ? answer->state() : answer.status().kind(), "tombstone") << moment;
    WaitForState(*coordinator, run, "succeeded");
  }
  EXPECT_EQ(lab->spawned(), 1);
  const v1::RunInfo ended = RunOf(*coordinator, run);
  ASSERT_THAT(ended.attempts(), SizeIs(2));
  EXPECT_EQ(ended.attempts(0).state(), "refused");
  EXPECT_EQ(ended.attempts(1).outcome(), "succeeded");
}

TEST_F(Interleavings, AJournalReplacedBetweenTwoDeliveriesOfOneStartRunSpawnsOnce) {
  const auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*coordinator, *lab);
  const std::string run = Submit(*coordinator, "hang");
  WaitForState(*coordinator, run, "running");
  const v1::StartRunRequest start = lab->post.starts().front();
  lab->post.Cut(true);  // the second delivery is before the coordinator can have seen what happened
  lab->Stop();
  lab->RemoveJournal();
  lab->Start();
  EXPECT_EQ(lab->post.Deliver(start).status().kind(), "other_incarnation");
  EXPECT_EQ(lab->spawned(), 1);
  lab->post.Cut(false);
  EXPECT_EQ(WaitForState(*coordinator, run, "interrupted").failure().kind(), "agent_restarted");
  WaitForState(*coordinator, Submit(*coordinator, "noop"), "succeeded");
}

TEST_F(Interleavings, ALeaseExtensionWhoseAnswerIsLostAndThenARestartOfTheCoordinatorStartsNoSecondWorker) {
  constexpr double kKillBoundS = 10;  // as in coordinator/core_state.h
  settings_.lease_s = 4;
  settings_.offline_after_s = 3;
  auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  const auto other = StartMachine("other");
  Join(*coordinator, *lab);
  const std::string run = Submit(*coordinator, "hang", "any", 0, 1);
  WaitForState(*coordinator, run, "running");
  const std::string attempt = lab->post.starts().front().attempt_id();

  lab->post.LoseSyncAnswers();
  const size_t heard = lab->post.syncs().size();
  ASSERT_TRUE(WaitUntil([&] { return lab->post.syncs().size() > heard; }))
      << "a lease that the coordinator cannot know of";
  lab->post.Cut(true);
  coordinator.reset();
  // Shorter now, as a person may set it: what was granted before counts all the same.
  settings_.lease_s = 1;
  std::atomic<bool> is_alive_at_start = false;
  std::atomic<bool> is_started = false;
  other->post.OnStart([&] {
    is_alive_at_start = lab->StateOf(attempt) != "result_ready";
    is_started = true;
  });
  coordinator = StartCoordinator();
  const auto restarted = std::chrono::steady_clock::now();
  Join(*coordinator, *other);
  ASSERT_TRUE(WaitUntil([&] { return is_started.load(); })) << RunOf(*coordinator, run).reason();
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - restarted;
  EXPECT_GE(waited.count(), 4 + kKillBoundS - 0.1);
  EXPECT_FALSE(is_alive_at_start);
  lab->post.Cut(false);
}

TEST_F(Interleavings, ADelayedSyncAfterTheAgentsRebootExtendsNoLease) {
  auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*coordinator, *lab);
  ASSERT_TRUE(WaitUntil([&] { return lab->post.syncs().back().has_lease(); }));
  const std::string run = Submit(*coordinator, "noop", "any");
  WaitForState(*coordinator, run, "succeeded");
  v1::SyncRequest delayed = lab->post.syncs().back();
  v1::StartRunRequest start = lab->post.starts().front();
  coordinator.reset();
  lab->Stop();
  lab->Start();  // with no lease
  // What was under way says so much of the boot that is over.
  delayed.mutable_lease()->set_boot_id("the boot before");
  delayed.mutable_lease()->set_until_boottime_ns(int64_t{1} << 60);
  delayed.set_wait_s(0);
  ASSERT_TRUE(lab->post.Deliver(delayed).ok()) << "all else of it is as good as ever";
  start.set_attempt_id("another");
  start.mutable_fence()->set_seq(delayed.fence().seq() + 1);
  EXPECT_EQ(lab->post.Deliver(start).status().kind(), "lease_expired");
  delayed.mutable_lease()->set_boot_id(start.start_by().boot_id());
  *delayed.mutable_fence() = start.fence();
  ASSERT_TRUE(lab->post.Deliver(delayed).ok());
  start.set_attempt_id("third");  // what was refused stays so
  start.mutable_start_by()->set_boot_id("the boot before");
  const StatusOr<v1::AttemptStatus> late = lab->post.Deliver(start);
  EXPECT_EQ(late.status().kind(), "too_late")
      << "nor may a StartRun of that boot start anything: " << late.status().message();
  EXPECT_EQ(lab->spawned(), 1);
}

TEST_F(Interleavings, ARestoredCopyBesideTheOriginalIsRefusedAndTheRunGoesOn) {
  auto original = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*original, *lab);
  original.reset();
  std::filesystem::copy(directory_.path() / "coordinator", directory_.path() / "copy");
  original = StartCoordinator();
  const std::string run = Submit(*original, "succeed", "lab", 1.5);
  WaitForState(*original, run, "running");

  auto copy = StartCoordinator("copy");
  ASSERT_EQ(copy->epoch().coordinator_epoch, original->epoch().coordinator_epoch);
  ASSERT_TRUE(WaitUntil([&] {
    return AgentOf(*copy, "lab").reason().find("obeys another coordinator") != std::string::npos;
  })) << AgentOf(*copy, "lab").reason();
  const std::string unwanted = Submit(*copy, "noop");
  EXPECT_EQ(RunOf(*copy, unwanted).state(), "queued");
  EXPECT_THAT(WaitForState(*original, run, "succeeded").attempts(), SizeIs(1));
  EXPECT_EQ(lab->spawned(), 1);

  // A copy that is older than what the agent has seen is told so, too.
  copy.reset();
  original.reset();
  original = StartCoordinator();
  WaitForState(*original, Submit(*original, "noop"), "succeeded");
  copy = StartCoordinator("copy");
  original.reset();
  original = StartCoordinator();
  ASSERT_GT(original->epoch().coordinator_epoch, copy->epoch().coordinator_epoch);
  WaitForState(*original, Submit(*original, "noop"), "succeeded");
  EXPECT_TRUE(WaitUntil([&] { return AgentOf(*copy, "lab").state() == "offline"; }));
  EXPECT_EQ(RunOf(*copy, unwanted).state(), "queued");
}

TEST_F(Interleavings, AConflictingResultOfferedAgainAndAgainIsKeptOnceAndAcknowledged) {
  settings_.offline_after_s = 1.5;  // Sync answers every half second
  auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  Join(*coordinator, *lab);
  const std::string run = Submit(*coordinator, "succeed");
  const v1::RunInfo stored = WaitForState(*coordinator, run, "succeeded");
  const std::string attempt = stored.attempts(0).attempt_id();

  v1::AttemptReport forged;
  forged.set_attempt_id(attempt);
  forged.set_run_id(run);
  forged.set_outcome("failed");
  lab->post.Forge(attempt, forged.SerializeAsString());
  for (const char* life : {"in this life of the coordinator", "and in the next"}) {
    const int acks = lab->post.forged_acks();
    EXPECT_TRUE(WaitUntil([&] { return lab->post.forged_acks() >= acks + 3; }))
        << "it is acknowledged each time, " << life;
    const v1::RunInfo now = RunOf(*coordinator, run);
    EXPECT_EQ(now.state(), "succeeded");
    EXPECT_EQ(now.attempts(0).conflicts(), 1) << life;
    EXPECT_EQ(now.attempts(0).report_sha256(), stored.attempts(0).report_sha256());
    EXPECT_EQ(now.result().SerializeAsString(), stored.result().SerializeAsString());
    coordinator.reset();
    coordinator = StartCoordinator();
  }
  EXPECT_LE(lab->post.forged_fetches(), 3) << "once for each life";
}

// Of versions that are not the same.
TEST_F(Interleavings, FieldsThatOnlyTheOtherSideKnowsAreHarmless) {
  const auto coordinator = StartCoordinator();
  const auto lab = StartMachine("lab");
  lab->post.AddUnknownFields();
  Join(*coordinator, *lab);
  EXPECT_THAT(WaitForState(*coordinator, Submit(*coordinator, "succeed"), "succeeded").attempts(), SizeIs(1));
}

}  // namespace
}  // namespace fleetmark
