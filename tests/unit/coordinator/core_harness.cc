#include "tests/unit/coordinator/core_harness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "common/ids.h"
#include "common/protocol_version.h"
#include "common/sha256.h"
#include "coordinator/backup.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark {
namespace {

v1::Runtime TestRuntime() {
  v1::Runtime runtime;
  runtime.set_name("libtorch");
  v1::RunnerDescription* description = runtime.mutable_description();
  description->set_runtime("libtorch");
  for (const char* name : {"cpu", "cuda:0", "cuda:1"}) {
    v1::Device* device = description->add_devices();
    device->set_name(name);
    device->set_kind(std::string(name) == "cpu" ? "cpu" : "cuda");
    device->set_uuid(std::string("uuid of ") + name);
  }
  v1::WorkloadSpec* workload = description->add_workloads();
  workload->set_name("tensor_add");
  workload->set_version(1);
  workload->add_device_kinds("cpu");
  workload->add_device_kinds("cuda");
  v1::ParameterSpec* n = workload->add_parameters();
  n->set_name("n");
  n->set_type("int");
  n->set_default_value("12288");
  n->set_min(256);
  n->set_max(32768);
  n->set_defines_board(true);
  v1::ParameterSpec* threads = workload->add_parameters();
  threads->set_name("threads");
  threads->set_type("int");
  threads->set_default_value("0");
  threads->set_min(0);
  threads->set_max(64);
  threads->set_tunable(true);
  v1::MetricSpec* metric = workload->add_metrics();
  metric->set_name("it_per_s");
  metric->set_better("more");
  return runtime;
}

// A seq counts within its epoch.
void TakeFence(ScriptedAgent& agent, const v1::Fence& fence) {
  EXPECT_GE(fence.coordinator_epoch(), agent.last_epoch) << "an old epoch";
  if (fence.coordinator_epoch() > agent.last_epoch) agent.last_seq = -1;
  agent.last_epoch = fence.coordinator_epoch();
  agent.description.set_cluster_id(fence.cluster_id());
  agent.description.set_max_coordinator_epoch_seen(fence.coordinator_epoch());
  agent.description.set_coordinator_instance_id_seen(fence.coordinator_instance_id());
}

Status Lost() { return Unavailable("the connection broke"); }

}  // namespace

ScriptedAgent::ScriptedAgent(const std::string& name) : address(name + ":7810") {
  description.set_agent_id("id of " + name);
  description.set_name(name);
  description.set_boot_id("boot");
  description.set_protocol_min(1);
  description.set_protocol_max(1);
  description.add_features(kProfileSettingsFeature);
  description.add_features(kTelemetryFeature);
  description.set_incarnation(name + " incarnation 1");
  description.set_process_id(name + " process 1");
  *description.add_runtimes() = TestRuntime();
  *description.mutable_devices() = description.runtimes(0).description().devices();
}

void ScriptedAgent::Restart() {
  description.set_process_id(description.process_id() + "+");
  revision = 1;
  for (auto& [id, status] : attempts) {
    if (status.state() == "running") Report(id, "interrupted", true);
  }
}

void ScriptedAgent::LoseJournal() {
  attempts.clear();
  reports.clear();
  description.set_incarnation(description.incarnation() + "+");
  Restart();
}

void ScriptedAgent::Report(const std::string& attempt_id, const std::string& outcome, bool retryable) {
  v1::AttemptReport report;
  report.set_attempt_id(attempt_id);
  report.set_outcome(outcome);
  report.set_retryable(retryable);
  report.set_started_unix_s(1);
  report.set_finished_unix_s(2);
  if (outcome == "succeeded") {
    v1::Metric* metric = report.mutable_result()->add_metrics();
    metric->set_name("it_per_s");
    metric->set_value(100);
    report.mutable_result()->mutable_environment()->mutable_device()->set_name("cpu");
  } else {
    report.mutable_failure()->set_kind(outcome);
    report.mutable_failure()->set_message("it was " + outcome);
  }
  reports[attempt_id] = report.SerializeAsString();
  attempts[attempt_id].set_state("result_ready");
  ++revision;
}

void ScriptedAgent::ReportOtherBytes(const std::string& attempt_id) {
  Report(attempt_id, "succeeded");
  v1::AttemptReport report;
  report.ParseFromString(reports[attempt_id]);
  report.set_stderr_tail("another time");
  reports[attempt_id] = report.SerializeAsString();
}

CoreHarness::CoreHarness() {
  std::string name = testing::TempDir() + "core_XXXXXX";
  directory_ = mkdtemp(name.data());
  OpenStore();
  RestartCoordinator();
}

CoreHarness::~CoreHarness() { std::filesystem::remove_all(directory_); }

void CoreHarness::RestartCoordinator() {
  events_.clear();
  parked_.clear();
  Build();
  StepOnce(Ticked{});
  Settle();
}

void CoreHarness::BackUp() {
  std::filesystem::remove(directory_ / "backup");
  const Status status = BackUpStore(directory_ / "coordinator.db", directory_ / "backup", [] { return false; });
  ASSERT_TRUE(status.ok()) << status.ToString();
}

void CoreHarness::LoseTheStore() {
  store.reset();
  reader.reset();
  for (const char* part : {"", "-wal", "-shm"}) {
    std::filesystem::remove(directory_ / (std::string("coordinator.db") + part));
  }
}

void CoreHarness::Restore() {
  LoseTheStore();
  const StatusOr<Restored> restored = RestoreStore(directory_ / "backup", directory_, clock.Now().unix_s());
  ASSERT_TRUE(restored.ok()) << restored.status().ToString();
  OpenStore();
  RestartCoordinator();
}

void CoreHarness::OpenStore() {
  store = std::move(OpenSqliteStore(directory_ / "coordinator.db")).value();
  reader = MakeSqliteReader(directory_ / "coordinator.db");
}

void CoreHarness::Build() {
  CoreConfig config;
  config.epoch = *store->BeginEpoch(lease_s);
  config.instance_id = config.epoch.instance_id;
  config.lease_s = lease_s;
  core = std::make_unique<CoordinatorCore>(config, *store->Load(), clock.Now());
}

ScriptedAgent& CoreHarness::MakeAgent(const std::string& name) {
  auto& agent = agents[name];
  agent = std::make_unique<ScriptedAgent>(name);
  return *agent;
}

ScriptedAgent& CoreHarness::AddAgent(const std::string& name) {
  ScriptedAgent& agent = MakeAgent(name);
  const Status status = Register(agent);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return agent;
}

Status CoreHarness::Register(ScriptedAgent& agent) {
  return Ask([&](uint64_t reply) { return AddAgentAsked{reply, agent.address, agent.description}; }).status;
}

v1::SubmitRequest CoreHarness::Request(const std::string& on) {
  v1::SubmitRequest request;
  request.set_workload("tensor_add");
  request.set_request_id(NewId());
  request.set_device("cpu");
  if (!on.empty()) request.add_on(on);
  return request;
}

StatusOr<v1::SubmitResponse> CoreHarness::Submit(const v1::SubmitRequest& request) {
  const Reply reply = Ask([&](uint64_t number) { return SubmitAsked{number, request}; });
  if (!reply.status.ok()) return reply.status;
  return reply.submitted;
}

std::string CoreHarness::SubmitOne(const v1::SubmitRequest& request) {
  const StatusOr<v1::SubmitResponse> response = Submit(request);
  EXPECT_TRUE(response.ok()) << response.status().ToString();
  return response.ok() ? response->run_ids(0) : "";
}

Status CoreHarness::Cancel(const std::vector<std::string>& run_ids) {
  return Ask([&](uint64_t reply) { return CancelAsked{reply, run_ids, "no longer needed"}; }).status;
}
StatusOr<v1::TunedProfile> CoreHarness::KeepProfile(const v1::TunedProfile& profile) {
  const Reply reply = Ask([&](uint64_t number) { return KeepProfilesAsked{number, {profile}}; });
  if (!reply.status.ok()) return reply.status;
  return reply.profiles.front();
}
Status CoreHarness::KeepProfiles(const std::vector<v1::TunedProfile>& profiles) {
  return Ask([&](uint64_t number) { return KeepProfilesAsked{number, profiles}; }).status;
}
StatusOr<std::vector<v1::TunedProfile>> CoreHarness::ForgetProfiles(const v1::ProfileFilter& filter) {
  const Reply reply = Ask([&](uint64_t number) { return ForgetProfilesAsked{number, filter}; });
  if (!reply.status.ok()) return reply.status;
  return reply.profiles;
}
Status CoreHarness::Remove(const std::string& name) {
  return Ask([&](uint64_t reply) { return RemoveAgentAsked{reply, name}; }).status;
}
Status CoreHarness::Drain(const std::string& name, bool on) {
  return Ask([&](uint64_t reply) { return DrainAsked{reply, name, on}; }).status;
}

v1::RunInfo CoreHarness::RunOf(const std::string& run_id) {
  v1::RunInfo run = *reader->GetRun(run_id, ResultDetail::kComplete);
  core->Describe(&run, clock.Now());
  return run;
}

v1::AgentInfo CoreHarness::AgentOf(const std::string& name) {
  for (const v1::AgentInfo& agent : core->Agents(clock.Now())) {
    if (agent.name() == name) return agent;
  }
  return {};
}

std::string CoreHarness::Running(const ScriptedAgent& agent) {
  for (const auto& [id, status] : agent.attempts) {
    if (status.state() == "running") return id;
  }
  return "";
}

void CoreHarness::Finish(ScriptedAgent& agent, const std::string& outcome, bool retryable) {
  const std::string attempt_id = Running(agent);
  ASSERT_NE(attempt_id, "") << agent.description.name() << " runs nothing";
  agent.Report(attempt_id, outcome, retryable);
  Settle();
}

void CoreHarness::Advance(double seconds) {
  const int64_t end = clock.Now().boottime_ns + SecondsToNanos(seconds);
  for (;;) {
    const Moment now = clock.Now();
    const int64_t next = std::max(core->NextWakeup(now), now.boottime_ns);
    if (next > end) break;
    clock.Advance(static_cast<double>(next - now.boottime_ns) * 1e-9 + 1e-6);
    StepOnce(Ticked{});
    Settle();
  }
  clock.Advance(static_cast<double>(end - clock.Now().boottime_ns) * 1e-9);
  // Long polls of agents that are there answer in time.
  std::vector<ParkedSync> parked;
  parked.swap(parked_);
  for (ParkedSync& sync : parked) {
    if (sync.agent->is_silent) {
      parked_.push_back(sync);
    } else {
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, OkStatus(), SyncAnswer(*sync.agent)});
    }
  }
  Settle();
}

void CoreHarness::Settle() {
  for (;;) {
    AnswerParked();
    if (events_.empty()) return;
    const Event event = events_.front();
    events_.pop_front();
    StepOnce(event);
  }
}

Reply CoreHarness::Ask(const std::function<Event(uint64_t)>& make) {
  const uint64_t reply = next_reply_++;
  StepOnce(make(reply));
  Settle();
  EXPECT_TRUE(replies_.contains(reply)) << "no answer came";
  return replies_[reply];
}

void CoreHarness::StepOnce(const Event& event) {
  Effects effects;
  core->Step(event, clock.Now(), &effects);
  ASSERT_EQ(core->FindIndexFault(clock.Now()), "");
  if (!effects.writes.empty()) {
    const Status status = store->Commit(effects.writes);
    ASSERT_TRUE(status.ok()) << status.ToString();
    ++commits;
  }
  for (const Call& call : effects.calls) Perform(call);
  for (const Reply& reply : effects.replies) replies_[reply.reply] = reply;
}

ScriptedAgent* CoreHarness::At(const std::string& address) {
  for (const auto& [name, agent] : agents) {
    if (agent->address == address && agent->is_up) return agent.get();
  }
  return nullptr;
}

void CoreHarness::Perform(const Call& call) {
  if (const auto* describe = std::get_if<DescribeCall>(&call)) PerformDescribe(*describe);
  if (const auto* sync = std::get_if<SyncCall>(&call)) PerformSync(*sync);
  if (const auto* order = std::get_if<OrderCall>(&call)) PerformOrder(*order);
  if (const auto* fetch = std::get_if<FetchCall>(&call)) PerformFetch(*fetch);
  if (const auto* look_up = std::get_if<LookUp>(&call)) {
    events_.push_back(LookedUp{look_up->agent_id, look_up->attempt_id, *store->FindAttempt(look_up->attempt_id)});
  }
  if (const auto* end = std::get_if<EndSync>(&call)) {
    std::erase_if(parked_, [&](const ParkedSync& sync) { return sync.call.call == end->call; });
  }
}

void CoreHarness::PerformDescribe(const DescribeCall& call) {
  const ScriptedAgent* agent = At(call.address);
  if (agent == nullptr) {
    events_.push_back(Described{call.call, Unavailable("Connection refused"), {}});
  } else if (!agent->is_silent) {
    events_.push_back(Described{call.call, OkStatus(), agent->description});
  }
}

void CoreHarness::TakeAcks(ScriptedAgent& agent, const v1::SyncRequest& request) {
  for (const v1::Ack& ack : request.acks()) {
    const auto report = agent.reports.find(ack.attempt_id());
    EXPECT_TRUE(report != agent.reports.end() || !agent.attempts.contains(ack.attempt_id()))
        << "an ack for an attempt that has no report yet";
    if (report == agent.reports.end() || Sha256Hex(report->second) != ack.sha256()) continue;
    const auto stored = *store->FindAttempt(ack.attempt_id());
    if (stored.has_value() && stored->report_sha256 != ack.sha256()) {
      v1::RunInfo run = *reader->GetRun(stored->run_id, ResultDetail::kNone);
      int conflicts = 0;
      for (const v1::AttemptInfo& attempt : run.attempts()) conflicts += attempt.conflicts();
      EXPECT_GT(conflicts, 0) << "an ack left before its report was stored";
    }
    agent.reports.erase(report);
    agent.attempts.erase(ack.attempt_id());
    ++agent.revision;
  }
}

void CoreHarness::PerformSync(const SyncCall& call) {
  ScriptedAgent* agent = At(call.address);
  if (agent == nullptr) {
    events_.push_back(Synced{call.call, call.agent_id, Lost(), {}});
    return;
  }
  const bool is_first_of_coordinator =
      agent->description.coordinator_instance_id_seen() != call.request.fence().coordinator_instance_id();
  TakeFence(*agent, call.request.fence());
  EXPECT_GE(call.request.fence().seq(), agent->last_seq) << "a Sync with an old fence";
  if (call.request.incarnation() != agent->description.incarnation()) {
    events_.push_back(Synced{call.call, call.agent_id, FailedPrecondition("another one", "", "other_incarnation"), {}});
    return;
  }
  agent->desired = {call.request.desired_attempt_ids().begin(), call.request.desired_attempt_ids().end()};
  agent->lease = call.request.lease();
  TakeAcks(*agent, call.request);
  for (auto& [id, status] : agent->attempts) {
    if (is_first_of_coordinator) break;  // it only asks
    if (status.state() == "running" && !agent->desired.contains(id)) agent->Report(id, "cancelled");
  }
  parked_.push_back({call, agent});
}

v1::SyncResponse CoreHarness::SyncAnswer(const ScriptedAgent& agent) const {
  v1::SyncResponse response;
  response.set_boot_id(agent.description.boot_id());
  response.set_boottime_ns(clock.Now().boottime_ns + 5'000 * kNanosPerSecond);
  response.set_incarnation(agent.description.incarnation());
  response.set_process_id(agent.description.process_id());
  response.set_revision(agent.revision);
  response.set_draining(agent.draining);
  response.set_not_accepting(agent.not_accepting);
  for (const auto& [id, status] : agent.attempts) {
    *response.add_attempts() = status;
    response.mutable_attempts()->rbegin()->set_attempt_id(id);
  }
  for (const auto& [id, bytes] : agent.reports) {
    v1::PendingResult* pending = response.add_pending_results();
    pending->set_attempt_id(id);
    pending->set_sha256(Sha256Hex(bytes));
  }
  return response;
}

void CoreHarness::AnswerParked() {
  std::vector<ParkedSync> still;
  for (ParkedSync& sync : parked_) {
    const v1::SyncRequest& request = sync.call.request;
    if (!sync.agent->is_up) {
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, Lost(), {}});
    } else if (sync.agent->is_silent) {
      still.push_back(sync);
    } else if (request.known_revision() != sync.agent->revision || !(request.wait_s() > 0)) {
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, OkStatus(), SyncAnswer(*sync.agent)});
    } else {
      still.push_back(sync);
    }
  }
  parked_ = std::move(still);
}

OrderAnswered CoreHarness::Start(ScriptedAgent& agent, const OrderCall& call, const v1::StartRunRequest& request) {
  const auto stored = *store->FindAttempt(request.attempt_id());
  EXPECT_TRUE(stored.has_value() && stored->state == AttemptState::kDispatched)
      << "StartRun left before its attempt was stored as dispatched";
  EXPECT_EQ(Running(agent), "") << "a second run for a busy machine";
  if (agent.on_start == OnStart::kRefuse) {
    return {call.agent_id, FailedPrecondition("machine is used by another agent (pid 12)", "", "device_busy"), {}};
  }
  const OnStart on_start = std::exchange(agent.on_start, OnStart::kRun);
  if (on_start == OnStart::kLoseRequest) return {call.agent_id, Lost(), {}};
  agent.starts.push_back(request);
  v1::AttemptStatus& status = agent.attempts[request.attempt_id()];
  EXPECT_EQ(status.state(), "") << "an attempt id was started twice";
  status.set_attempt_id(request.attempt_id());
  status.set_run_id(request.run_id());
  status.set_device(request.spec().device());
  status.set_spec_sha256(request.spec_sha256());
  status.set_state("running");
  ++agent.revision;
  if (on_start == OnStart::kLoseAnswer) return {call.agent_id, Lost(), {}};
  return {call.agent_id, OkStatus(), status};
}

OrderAnswered CoreHarness::CancelRun(ScriptedAgent& agent, const OrderCall& call, const v1::CancelRunRequest& request) {
  agent.cancels.push_back(request.attempt_id());
  if (agent.failing_cancels > 0) {
    --agent.failing_cancels;
    return {call.agent_id, Unavailable("the disk is full", "", "disk_full"), {}};
  }
  v1::AttemptStatus& status = agent.attempts[request.attempt_id()];
  status.set_attempt_id(request.attempt_id());
  if (status.state().empty()) status.set_state("tombstone");
  if (status.state() == "running") {
    v1::AttemptStatus cancelling = status;
    cancelling.set_state("cancelling");
    agent.Report(request.attempt_id(), "cancelled");
    return {call.agent_id, OkStatus(), cancelling};
  }
  ++agent.revision;
  return {call.agent_id, OkStatus(), status};
}

void CoreHarness::PerformOrder(const OrderCall& call) {
  ScriptedAgent* agent = At(call.address);
  if (agent == nullptr || agent->is_silent) {
    events_.push_back(OrderAnswered{call.agent_id, Lost(), {}});
    return;
  }
  std::visit(
      [&](const auto& request) {
        TakeFence(*agent, request.fence());
        EXPECT_GT(request.fence().seq(), agent->last_seq) << "an order without a new seq";
        agent->last_seq = request.fence().seq();
      },
      call.request);
  if (const auto* start = std::get_if<v1::StartRunRequest>(&call.request)) {
    events_.push_back(Start(*agent, call, *start));
  } else if (const auto* cancel = std::get_if<v1::CancelRunRequest>(&call.request)) {
    events_.push_back(CancelRun(*agent, call, *cancel));
  } else {
    agent->draining = std::get<v1::DrainRequest>(call.request).on();
    ++agent->revision;
    events_.push_back(OrderAnswered{call.agent_id, OkStatus(), {}});
  }
}

void CoreHarness::PerformFetch(const FetchCall& call) {
  const ScriptedAgent* agent = At(call.address);
  Fetched fetched{call.agent_id, call.attempt_id, call.sha256, Lost(), "", "log"};
  if (agent != nullptr && agent->reports.contains(call.attempt_id)) {
    fetched.bytes = agent->reports.at(call.attempt_id);
    // What the dispatcher does with bytes that do not have their hash.
    fetched.status = agent->cuts_reports ? DataLoss("the bytes do not have the hash") : OkStatus();
  }
  events_.push_back(fetched);
}

}  // namespace fleetmark
