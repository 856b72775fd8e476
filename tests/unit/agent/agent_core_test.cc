#include "agent/agent_core.h"

#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/sha256.h"
#include "tests/unit/agent/core_harness.h"

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

// ---- StartRun ----

TEST(AgentCoreStart, AnswersAndSpawnsOnlyWithTheAttemptInTheSameBatch) {
  CoreHarness agent;
  EXPECT_EQ("accepted", agent.StartState(agent.StartRequest()));
  ASSERT_FALSE(agent.last_.writes.empty());
  EXPECT_TRUE(agent.Did<SpawnWorker>());
  EXPECT_EQ(1u, agent.journal_.attempts.count("a"));
}

TEST(AgentCoreStart, TheGateOpensInTheBatchThatJournalsTheSpawn) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  EXPECT_FALSE(agent.Did<OpenGate>());
  const Outcome outcome = agent.Step(WorkerSpawned{"a", {100, 5, agent.boot_id_}});
  EXPECT_TRUE(agent.Did<OpenGate>());
  ASSERT_EQ(1u, outcome.writes.size());
  EXPECT_EQ(100, std::get<PutAttempt>(outcome.writes[0]).attempt.process->pid);
}

struct Refusal {
  const char* name;
  std::function<void(v1::StartRunRequest*)> spoil;
  StatusCode code;
  const char* kind;
  const char* words;
};

class AgentCoreRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(AgentCoreRefusal, LeavesNothingBehind) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Start(agent.StartRequest("first")).ok());
  agent.Step(SpawnFailed{"first", Internal("x")});
  v1::StartRunRequest request = agent.StartRequest("a");
  *request.mutable_fence() = agent.Fence(5);
  GetParam().spoil(&request);
  const Status status = agent.Start(request);
  EXPECT_EQ(GetParam().code, status.code()) << status.ToString();
  EXPECT_EQ(GetParam().kind, status.kind());
  EXPECT_THAT(status.ToString(), HasSubstr(GetParam().words));
  EXPECT_TRUE(agent.last_.writes.empty());
  EXPECT_FALSE(agent.Did<SpawnWorker>());
  EXPECT_EQ(1, agent.core_->fence().seq) << "the fence of a refused call counts for nothing";
}

void Spec(v1::StartRunRequest* request, const std::function<void(v1::RunSpec*)>& spoil) {
  spoil(request->mutable_spec());
  *request = CoreHarness::Rehashed(*request);
}

const Refusal kRefusals[] = {
    {"OlderFence", [](auto* r) { r->mutable_fence()->set_seq(0); }, StatusCode::kFailedPrecondition, "stale_fence",
     "older"},
    {"OtherCluster", [](auto* r) { r->mutable_fence()->set_cluster_id("x"); }, StatusCode::kFailedPrecondition,
     "other_cluster", "fleetmark-agent leave"},
    {"SameEpochOfAnotherCoordinator", [](auto* r) { r->mutable_fence()->set_coordinator_instance_id("x"); },
     StatusCode::kFailedPrecondition, "other_coordinator", "epoch 1"},
    {"NoFence", [](auto* r) { r->clear_fence(); }, StatusCode::kInvalidArgument, "", "fence"},
    {"OtherIncarnation", [](auto* r) { r->set_incarnation("x"); }, StatusCode::kFailedPrecondition, "other_incarnation",
     "journal"},
    {"TooLate", [](auto* r) { r->mutable_start_by()->set_boottime_ns(1); }, StatusCode::kFailedPrecondition, "too_late",
     ""},
    {"StartByOfAnotherBoot", [](auto* r) { r->mutable_start_by()->set_boot_id("x"); }, StatusCode::kFailedPrecondition,
     "too_late", ""},
    {"UnknownFeature", [](auto* r) { r->add_required_features("teleport"); }, StatusCode::kFailedPrecondition,
     "unsupported", "teleport"},
    {"UnknownRuntime", [](auto* r) { Spec(r, [](auto* s) { s->set_runtime("fak"); }); },
     StatusCode::kFailedPrecondition, "unsupported", "did you mean fake"},
    {"UnavailableRuntime", [](auto* r) { Spec(r, [](auto* s) { s->set_runtime("libtorch"); }); },
     StatusCode::kFailedPrecondition, "unsupported", "built without LibTorch"},
    {"UnknownWorkload", [](auto* r) { Spec(r, [](auto* s) { s->set_workload("wrk"); }); },
     StatusCode::kFailedPrecondition, "unsupported", "did you mean work"},
    {"OtherVersionOfWorkload", [](auto* r) { Spec(r, [](auto* s) { s->set_workload_version(2); }); },
     StatusCode::kFailedPrecondition, "unsupported", "version 1"},
    {"UnknownParameter", [](auto* r) { Spec(r, [](auto* s) { (*s->mutable_parameters())["m"] = "1"; }); },
     StatusCode::kInvalidArgument, "bad_parameter", "no parameter m"},
    {"ParameterOutOfBounds", [](auto* r) { Spec(r, [](auto* s) { (*s->mutable_parameters())["n"] = "11"; }); },
     StatusCode::kInvalidArgument, "bad_parameter", "from 1 to 10"},
    {"ParameterOfAnotherType", [](auto* r) { Spec(r, [](auto* s) { (*s->mutable_parameters())["n"] = "$(reboot)"; }); },
     StatusCode::kInvalidArgument, "bad_parameter", "whole number"},
    {"UnknownDevice", [](auto* r) { Spec(r, [](auto* s) { s->set_device("cuda:1"); }); },
     StatusCode::kFailedPrecondition, "device_unavailable", "cuda:1"},
    {"DeviceOfAnotherKind", [](auto* r) { Spec(r, [](auto* s) { s->set_device("cuda:0"); }); },
     StatusCode::kFailedPrecondition, "unsupported", "does not run on cuda"},
    {"DeviceThatWasSwapped", [](auto* r) { r->set_device_uuids(0, "uuid-x"); }, StatusCode::kFailedPrecondition,
     "device_unavailable", "uuid-x"},
    {"UnknownProfile", [](auto* r) { Spec(r, [](auto* s) { s->set_profile("fast"); }); }, StatusCode::kInvalidArgument,
     "bad_parameter", "known: stock, tuned"},
    {"ProfileSettingOutOfBounds",
     [](auto* r) {
       Spec(r, [](auto* s) { s->set_profile("tuned"); });
       (*r->mutable_profile_settings())["threads"] = "5";
     },
     StatusCode::kInvalidArgument, "bad_parameter", "from 0 to 4"},
    {"ProfileSettingThatIsNotTunable",
     [](auto* r) {
       Spec(r, [](auto* s) { s->set_profile("tuned"); });
       (*r->mutable_profile_settings())["n"] = "5";
     },
     StatusCode::kInvalidArgument, "bad_parameter", "not tunable"},
    {"ProfileSettingsForStock", [](auto* r) { (*r->mutable_profile_settings())["threads"] = "1"; },
     StatusCode::kInvalidArgument, "bad_parameter", "profile stock"},
    {"UnknownTelemetryMode", [](auto* r) { r->set_telemetry("sometimes"); }, StatusCode::kInvalidArgument,
     "bad_parameter", "known: on, off, alternating"},
    {"HashOfAnotherSpec", [](auto* r) { r->set_spec_sha256("x"); }, StatusCode::kInvalidArgument, "bad_parameter",
     "hash"},
    {"NoTimeLimit", [](auto* r) { r->set_max_runtime_s(0); }, StatusCode::kInvalidArgument, "bad_parameter",
     "max_runtime_s"},
    {"UnknownDisconnectPolicy", [](auto* r) { r->set_on_disconnect("SHRUG"); }, StatusCode::kInvalidArgument,
     "bad_parameter", "FINISH or KILL"},
    {"KillRunWithoutLease", [](auto* r) { r->set_on_disconnect("KILL"); }, StatusCode::kFailedPrecondition,
     "lease_expired", "lease"},
};
INSTANTIATE_TEST_SUITE_P(All, AgentCoreRefusal, testing::ValuesIn(kRefusals),
                         [](const auto& param) { return param.param.name; });

// What may not be left out is a feature and named; see UnknownFeature above.
TEST(AgentCoreStart, AFieldThatANewerCoordinatorAddedIsHarmless) {
  CoreHarness agent;
  v1::StartRunRequest request = agent.StartRequest();
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(1000, 1);
  v1::RunSpec* spec = request.mutable_spec();
  spec->GetReflection()->MutableUnknownFields(spec)->AddVarint(1000, 1);
  EXPECT_EQ("accepted", agent.StartState(CoreHarness::Rehashed(request)));
}

TEST(AgentCoreStart, TheMachinesOwnProfileStandsBelowWhatWasSet) {
  for (const bool is_set : {false, true}) {
    CoreHarness agent;
    v1::StartRunRequest request = agent.StartRequest();
    request.mutable_spec()->set_profile("tuned");
    if (is_set) (*request.mutable_spec()->mutable_parameters())["threads"] = "3";
    (*request.mutable_profile_settings())["threads"] = "1";
    ASSERT_TRUE(agent.Start(CoreHarness::Rehashed(request)).ok());
    const SpawnWorker* spawn = CoreHarness::Find<SpawnWorker>(agent.last_);
    ASSERT_NE(nullptr, spawn);
    EXPECT_EQ(is_set ? "3" : "1", spawn->spec.parameters().at("threads"));
    agent.End("a");
    EXPECT_EQ(is_set ? 0u : 1u, agent.Report("a").result().profile_settings().size()) << "what took effect is told";
  }
}

TEST(AgentCoreStart, SaysWhatIsToBeSampled) {
  EXPECT_THAT(Offer().features, testing::Contains("telemetry"));
  for (const char* mode : {"", "on", "off", "alternating"}) {
    CoreHarness agent;
    v1::StartRunRequest request = agent.StartRequest();
    request.set_telemetry(mode);
    ASSERT_TRUE(agent.Start(request).ok());
    const SpawnWorker* spawn = CoreHarness::Find<SpawnWorker>(agent.last_);
    ASSERT_NE(nullptr, spawn);
    EXPECT_EQ(mode, spawn->telemetry);
    EXPECT_EQ(request.device_uuids(0), spawn->device_uuid);
  }
}

TEST(AgentCoreStart, IsRefusedWhileSomebodyHoldsTheDevice) {
  CoreHarness agent;
  const Status status = agent.Start(agent.StartRequest(), FailedPrecondition("held by agent y", "", "device_busy"));
  EXPECT_EQ("device_busy", status.kind());
  EXPECT_FALSE(agent.Did<SpawnWorker>());
  EXPECT_TRUE(agent.journal_.attempts.empty());
}

// Found by the simulator: the coordinator had planned the run elsewhere when the network delivered StartRun once more.
TEST(AgentCoreStart, ARefusalStandsWhenTheSameStartRunComesTwice) {
  CoreHarness agent;
  const Status held = FailedPrecondition("held by agent y", "", "device_busy");
  EXPECT_EQ("device_busy", agent.Start(agent.StartRequest("a"), held).kind());
  EXPECT_EQ("tombstone", agent.StartState(agent.StartRequest("a")));
  EXPECT_EQ(0, agent.spawns("a"));
  EXPECT_TRUE(agent.journal_.retired.empty()) << "a connection, and what it delivers twice, ends with this process";
  EXPECT_EQ("accepted", agent.StartState(agent.StartRequest("b")));
}

TEST(AgentCoreStart, IsRefusedWithoutCapacityAndSyncSaysWhy) {
  CoreHarness agent;
  agent.Step(CapacityChanged{FailedPrecondition("the disk is nearly full", "", "disk_full")});
  EXPECT_EQ("disk_full", agent.Start(agent.StartRequest()).kind());
  EXPECT_EQ("the disk is nearly full", agent.Sync(agent.SyncRequest({}, 0))->not_accepting());
  agent.Step(CapacityChanged{OkStatus()});
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
}

TEST(AgentCoreStart, TheSameAttemptAgainSpawnsNothing) {  // invariants 2 and 7
  CoreHarness agent;
  agent.Run("a");
  EXPECT_EQ("running", agent.StartState(agent.StartRequest("a")));
  EXPECT_FALSE(agent.Did<SpawnWorker>());
  v1::StartRunRequest other = agent.StartRequest("a");
  (*other.mutable_spec()->mutable_parameters())["n"] = "3";
  const Status status = agent.Start(CoreHarness::Rehashed(other));
  EXPECT_EQ(StatusCode::kAlreadyExists, status.code());
  EXPECT_EQ(1, agent.spawns("a"));
}

TEST(AgentCoreStart, AWorkerThatCannotBeForkedIsTheInfrastructuresFailure) {
  CoreHarness agent;
  EXPECT_TRUE(agent.Start(agent.StartRequest()).ok());
  agent.Step(SpawnFailed{"a", ResourceExhausted("cannot start a worker: fork", "see ulimit")});
  EXPECT_EQ("failed", agent.Report("a").outcome());
  EXPECT_EQ("spawn_failed", agent.Report("a").failure().kind());
  EXPECT_TRUE(agent.Report("a").retryable());
  EXPECT_EQ(0, agent.Report("a").started_unix_s());
}

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
