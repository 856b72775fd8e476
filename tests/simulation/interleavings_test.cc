#include <gmock/gmock.h>

#include "tests/simulation/staged_fleet.h"

// Each stages one dangerous order of events exactly, with the real cores. What else may happen around it is for the
// seeds of `simulate`.
namespace fleetmark::simulation {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int kLong = 3000;  // steps: five minutes, longer than any lease

using Interleavings = StagedFleet;

TEST_F(Interleavings, ASyncBuiltBeforeStartRunAndDeliveredAfterItEndsNothing) {
  Begin(1, 1);
  const Held sync = Hold(RequestOf<v1::SyncRequest>(0));
  ASSERT_TRUE(UntilSent(sync));
  const Held start = Hold(RequestOf<v1::StartRunRequest>(0));
  const std::string run = Submit({.target = 0, .steps = 100});
  ASSERT_TRUE(UntilSent(start));
  Deliver(start);
  ASSERT_TRUE(UntilRunning(0));
  EXPECT_THAT(As<v1::SyncRequest>(sync).desired_attempt_ids(), IsEmpty());
  EXPECT_LT(As<v1::SyncRequest>(sync).fence().seq(), As<v1::StartRunRequest>(start).fence().seq());
  EXPECT_EQ(Deliver(sync).status.kind(), "stale_fence");
  ASSERT_TRUE(UntilEnded(run));
  EXPECT_EQ(StateOf(run), "succeeded");
  EXPECT_EQ(spawns(), 1);
}

TEST_F(Interleavings, AStartRunThatArrivesAfterItsRunWasReplannedStartsNothing) {
  Begin(2, 2);
  const Held start = Hold(RequestOf<v1::StartRunRequest>(kAnyAgent));
  const std::string run = Submit({.steps = kLong, .retries = 1});
  ASSERT_TRUE(UntilSent(start));
  const int first = (*start)->agent;
  Cut(first);
  ASSERT_TRUE(UntilRunning(1 - first, 200));
  Connect(first);
  ASSERT_TRUE(UntilLeasedAnew(first));  // else it would refuse whatever depends on a lease
  EXPECT_EQ(Deliver(start).status.kind(), "too_late");
  ASSERT_TRUE(UntilEnded(run, 400));
  EXPECT_EQ(StateOf(run), "succeeded");
  ASSERT_THAT(AttemptsOf(run), SizeIs(2));
  EXPECT_EQ(AttemptsOf(run)[0]->failure.kind(), "lease_expired");
  EXPECT_EQ(spawns(), 1);
}

TEST_F(Interleavings, AStartRunThatArrivesAfterItsTombstoneStartsNothing) {
  Begin(1, 1);
  const Held start = Hold(RequestOf<v1::StartRunRequest>(0));
  const std::string run = Submit({.target = 0, .steps = 5});
  ASSERT_TRUE(UntilSent(start));
  ASSERT_TRUE(UntilEnded(run)) << "asked for, found missing, cancelled and planned again";
  EXPECT_EQ(Count(AnswerTo<v1::CancelRunRequest>(0)), 1);
  ASSERT_THAT(AttemptsOf(run), SizeIs(2));
  EXPECT_EQ(AttemptsOf(run)[0]->failure.kind(), "not_sent");
  agent(0).Crash();  // a tombstone outlives the process
  agent(0).Start();
  EXPECT_LT(clock_of(0), As<v1::StartRunRequest>(start).start_by().boottime_ns());
  const Answer answer = Deliver(start);
  EXPECT_EQ(answer.attempt.state(), "tombstone") << answer.status.ToString();
  ASSERT_TRUE(Pass(1));
  EXPECT_EQ(spawns(), 1);
}

TEST_F(Interleavings, AJournalReplacedBetweenTwoDeliveriesOfOneStartRunStartsNothingAgain) {
  Begin(1, 1);
  const Held start = Hold(RequestOf<v1::StartRunRequest>(0));
  const std::string run = Submit({.target = 0, .steps = kLong});
  ASSERT_TRUE(UntilSent(start));
  EXPECT_EQ(Deliver(start).attempt.state(), "accepted");
  ASSERT_TRUE(UntilRunning(0));
  agent(0).Crash();
  agent(0).LoseJournal();
  ASSERT_TRUE(Until([&] { return !machine_of(0).IsLocked(); }));
  agent(0).Start();
  EXPECT_LT(clock_of(0), As<v1::StartRunRequest>(start).start_by().boottime_ns());
  EXPECT_EQ(Deliver(start).status.kind(), "other_incarnation");
  ASSERT_TRUE(UntilEnded(run));
  EXPECT_EQ(StateOf(run), "interrupted");
  EXPECT_EQ(AttemptsOf(run)[0]->failure.kind(), "agent_restarted");
  EXPECT_EQ(spawns(), 1);
}

class LostExtension : public StagedFleet, public testing::WithParamInterface<bool> {};

TEST_P(LostExtension, CountsAlthoughItsAnswerIsLost) {
  const bool is_restarted = GetParam();
  Begin(2, 2);
  const std::string run = Submit({.steps = kLong, .retries = 1});
  ASSERT_TRUE(Until([&] { return spawns() == 1; }));
  const int first = machine_of(0).IsLocked() ? 0 : 1;
  ASSERT_TRUE(UntilLeasedAnew(first));
  const Held answer = Hold(AnswerToLease(first));
  ASSERT_TRUE(UntilSent(answer));
  const auto lease_until_ns = static_cast<int64_t>(As<v1::SyncRequest>(answer).lease().until_boottime_ns());
  Cut(first);
  if (is_restarted) RestartCoordinator();
  EXPECT_LT(clock_of(first), lease_until_ns);
  ASSERT_TRUE(UntilRunning(1 - first, 200)) << "it was planned again while the first attempt ran";
  EXPECT_GE(clock_of(first), lease_until_ns);
  EXPECT_FALSE(machine_of(first).IsLocked());
  EXPECT_EQ(AttemptsOf(run)[0]->failure.kind(), "lease_expired");
}

INSTANTIATE_TEST_SUITE_P(Interleavings, LostExtension, testing::Bool(),
                         [](const auto& param) { return param.param ? "AndTheCoordinatorRestarts" : "Alone"; });

TEST_F(Interleavings, ASyncFromBeforeTheRebootOfItsAgentGrantsNoLease) {
  Begin(1, 1);
  const Held sync = Hold(LeaseTo(0));
  ASSERT_TRUE(UntilSent(sync));
  world_->Happen({.kind = IncidentKind::kReboot, .target = 0, .duration_s = 1});
  ASSERT_TRUE(UntilLeasedAnew(0));
  const v1::Lease& old = As<v1::SyncRequest>(sync).lease();
  EXPECT_NE(old.boot_id(), machine_of(0).boot_id());
  EXPECT_GT(old.until_boottime_ns(), clock_of(0) + SecondsToNanos(3600)) << "clocks begin anew at a boot";
  const Answer answer = Deliver(sync);
  EXPECT_TRUE(answer.status.ok()) << answer.status.ToString();
  EXPECT_EQ(answer.sync.boot_id(), machine_of(0).boot_id());
  Submit({.steps = kLong});
  ASSERT_TRUE(UntilRunning(0));
  Cut(0);
  EXPECT_TRUE(Until([&] { return !machine_of(0).IsLocked(); }, 65)) << "it ends with its own lease";
}

TEST_F(Interleavings, AnAgentKilledBetweenForkAndSpawnedRunsNothingOfThatAttempt) {
  Begin(1, 1);
  const std::string run = Submit({.target = 0, .retries = 1});
  ASSERT_TRUE(Until([&] { return machine_of(0).IsLocked(); }));
  const Worker forked = machine_of(0).workers().front();
  ASSERT_FALSE(forked.is_gate_open);
  const auto& journaled = agent(0).journal().contents.attempts.at(forked.attempt_id);
  ASSERT_FALSE(journaled.process) << "SPAWNED is journaled already";
  agent(0).Crash();
  agent(0).Start();
  ASSERT_TRUE(Until([&] {
    const Worker* worker = machine_of(0).FindOf(forked.attempt_id);
    EXPECT_FALSE(worker != nullptr && worker->is_gate_open);
    return IsTerminal(store().runs().at(run).state);
  }));
  EXPECT_EQ(StateOf(run), "succeeded");
  EXPECT_EQ(AttemptsOf(run)[0]->attempt_id, forked.attempt_id);
  EXPECT_EQ(AttemptsOf(run)[0]->outcome, "interrupted");
  EXPECT_EQ(spawns(), 2);
}

TEST_F(Interleavings, ACopyOfTheCoordinatorBesideTheOriginalIsRefused) {
  Begin(1, 1);
  const std::string run = Submit({.target = 0, .steps = 300});
  ASSERT_TRUE(UntilRunning(0));
  const Held of_copy = Hold(RequestOf<v1::SyncRequest>(0, 1));
  world_->Happen({.kind = IncidentKind::kCopy, .duration_s = 1000});
  ASSERT_TRUE(UntilSent(of_copy));
  RestartCoordinator();  // so that it has the copy's epoch
  ASSERT_TRUE(UntilLeasedAnew(0));
  const v1::Fence& fence = As<v1::SyncRequest>(of_copy).fence();
  EXPECT_EQ(fence.coordinator_epoch(), world_->coordinator().epoch());
  EXPECT_NE(fence.coordinator_instance_id(), agent(0).journal().contents.fence.coordinator_instance_id);
  EXPECT_EQ(Deliver(of_copy).status.kind(), "other_coordinator");
  ASSERT_TRUE(UntilEnded(run));
  EXPECT_EQ(StateOf(run), "succeeded");
  EXPECT_EQ(spawns(), 1);
}

TEST_F(Interleavings, AConflictingResultOfferedAgainAndAgainIsKeptOnceAndChangesNothing) {
  Begin(1, 1);
  const std::string run = Submit({.target = 0});
  ASSERT_TRUE(UntilEnded(run));
  const auto is_pruned = [&] { return agent(0).journal().contents.attempts.empty(); };
  ASSERT_TRUE(Until(is_pruned));
  ASSERT_TRUE(Pass(1));  // nothing more is owed for the first report
  const std::string attempt = AttemptsOf(run)[0]->attempt_id;
  const std::string stored = store().reports().at(attempt).sha256;
  agent(0).Crash();
  ASSERT_TRUE(agent(0).ForgeConflict());
  agent(0).Start();
  Lose([](const Message& message) {
    const auto* sync = std::get_if<v1::SyncRequest>(&message.request);
    return sync != nullptr && sync->acks_size() > 0;
  });
  for (int time = 1; time <= 3; ++time) {  // a new coordinator does not know that it owes an ack
    const int fetched = Count(AnswerTo<FetchReport>(0));
    ASSERT_TRUE(Until([&] { return Count(AnswerTo<FetchReport>(0)) > fetched; }));
    ASSERT_TRUE(Until([&] { return !store().kept().empty(); }));
    ASSERT_TRUE(Pass(1));
    EXPECT_FALSE(is_pruned());
    EXPECT_THAT(store().kept(), SizeIs(1));
    RestartCoordinator();
  }
  LoseNothing();
  ASSERT_TRUE(Until(is_pruned));
  EXPECT_THAT(store().kept(), SizeIs(1));
  EXPECT_EQ(store().reports().at(attempt).sha256, stored);
  EXPECT_EQ(StateOf(run), "succeeded");
}

TEST_F(Interleavings, AWorkerThatOutlivesItsAgentKeepsTheMachinesLock) {
  Begin(2, 1);
  const std::string first = Submit({.target = 0, .steps = kLong});
  ASSERT_TRUE(UntilRunning(0));
  machine_of(0).keeps_orphans = true;
  agent(0).Crash();
  const std::string second = Submit({.target = 1});
  const auto is_busy = [answer = AnswerTo<v1::StartRunRequest>(1)](const Message& message) {
    return answer(message) && message.answer->status.kind() == "device_busy";
  };
  ASSERT_TRUE(Until([&] { return Count(is_busy) >= 3; }));
  EXPECT_EQ(spawns(), 1);
  agent(0).Start();  // it ends what it finds
  ASSERT_TRUE(UntilEnded(second));
  EXPECT_EQ(StateOf(second), "succeeded");
  ASSERT_TRUE(UntilEnded(first));
  EXPECT_EQ(StateOf(first), "interrupted");
  EXPECT_EQ(spawns(), 2);
}

// ---- Found by the simulator ----

// The agent could come back, be leased anew and then get the StartRun, while the run was with another one.
TEST_F(Interleavings, AStartRunStillUnderWayWhenItsAgentsLeaseRunsOutIsWaitedFor) {
  Begin(2, 2);
  agent(1).Crash();  // so that it goes to the other
  const Held sync = Hold(RequestOf<v1::SyncRequest>(0));
  ASSERT_TRUE(UntilSent(sync));
  Lose(RequestOf<v1::SyncRequest>(0));
  ASSERT_TRUE(Pass(25));
  for (const bool is_on : {true, false}) {  // answers that grant no lease keep it in reach
    world_->coordinator().Ask(DrainAsked{0, agent(0).name(), is_on}, [](const fleetmark::Reply&) {});
    ASSERT_TRUE(Pass(1));
  }
  ASSERT_TRUE(Pass(27));
  const Held start = Hold(RequestOf<v1::StartRunRequest>(0));
  const std::string run = Submit({.steps = kLong, .retries = 1});
  ASSERT_TRUE(UntilSent(start, 1));
  Cut(0);
  agent(1).Start();
  const auto verdict_ns = static_cast<int64_t>(As<v1::SyncRequest>(sync).lease().until_boottime_ns()) + kKillBoundNs;
  ASSERT_TRUE(Until([&] { return clock_of(0) > verdict_ns + kNanosPerSecond; }));
  EXPECT_THAT(AttemptsOf(run), SizeIs(1)) << "planned again though StartRun may arrive";
  LoseNothing();
  Connect(0);
  ASSERT_TRUE(UntilLeasedAnew(0));
  EXPECT_LT(clock_of(0), As<v1::StartRunRequest>(start).start_by().boottime_ns());
  const Answer answer = Deliver(start);
  // Meanwhile it is cancelled: the cancel is there already, or only a Sync that was sent after it.
  EXPECT_TRUE(answer.attempt.state() == "tombstone" || answer.status.kind() == "stale_fence");
  ASSERT_TRUE(UntilEnded(run, 500));
  EXPECT_EQ(StateOf(run), "succeeded");
  EXPECT_EQ(spawns(), 1);
}

TEST_F(Interleavings, ARefusedStartRunThatIsDeliveredTwiceStartsNothing) {
  Begin(2, 1);
  Submit({.target = 1, .steps = kLong});
  ASSERT_TRUE(UntilRunning(1));
  const Held start = Hold(RequestOf<v1::StartRunRequest>(0));
  const std::string run = Submit({.target = 0});
  ASSERT_TRUE(UntilSent(start));
  EXPECT_EQ(Deliver(start).status.kind(), "device_busy");
  ASSERT_TRUE(Until([&] { return AttemptsOf(run)[0]->state == AttemptState::kRefused; }));
  machine_of(1).Kill(machine_of(1).workers().front().pid);  // now there is room
  const Answer answer = Deliver(start, true);
  EXPECT_EQ(answer.attempt.state(), "tombstone") << answer.status.ToString();
  ASSERT_TRUE(UntilEnded(run));
  EXPECT_EQ(StateOf(run), "succeeded");
  EXPECT_GT(AttemptsOf(run).size(), 1u);
  EXPECT_EQ(spawns(), 2);
}

TEST_F(Interleavings, ACancelThatAFullDiskRefusesIsNotAskedForInABusyLoop) {
  Begin(1, 1);
  const std::string run = Submit({.target = 0, .steps = kLong});
  ASSERT_TRUE(UntilRunning(0));
  agent(0).is_full = agent(0).takes_fences = true;
  Cancel(run);
  const auto is_refused = [answer = AnswerTo<v1::CancelRunRequest>(0)](const Message& message) {
    return answer(message) && message.answer->status.kind() == "disk_full";
  };
  ASSERT_TRUE(Until([&] { return Count(is_refused) > 0; }));
  ASSERT_TRUE(Pass(20));
  EXPECT_LE(Count(is_refused), 5);
  EXPECT_EQ(StateOf(run), "running");
  agent(0).is_full = false;
  ASSERT_TRUE(UntilEnded(run));
  EXPECT_EQ(StateOf(run), "cancelled");
}

}  // namespace
}  // namespace fleetmark::simulation
