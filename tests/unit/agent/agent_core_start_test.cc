#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>

#include "agent/agent_core.h"
#include "tests/unit/agent/core_harness.h"

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

// What it does with StartRun.

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

}  // namespace
}  // namespace fleetmark::agent
