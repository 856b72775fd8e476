#include "tests/unit/coordinator/core_harness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "common/ids.h"
#include "common/sha256.h"
#include "coordinator/backup.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark {

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
  config.dispatched_at_once = dispatched_at_once;
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
  v1::ListAgentsRequest request;
  request.set_name(name);
  const v1::ListAgentsResponse list = core->Agents(clock.Now(), request);
  return list.agents().empty() ? v1::AgentInfo() : list.agents(0);
}

void CoreHarness::Finish(ScriptedAgent& agent, const std::string& outcome, bool retryable) {
  const std::string attempt_id = agent.Running();
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
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, OkStatus(), sync.agent->SyncAnswer(clock.Now())});
    }
  }
  Settle();
}

void CoreHarness::Settle() {
  for (;;) {
    AnswerParked();
    const Moment now = clock.Now();
    if (events_.empty() && core->NextWakeup(now) > now.boottime_ns) return;
    if (events_.empty()) events_.push_back(Ticked{});
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
  agent->TakeFence(call.request.fence());
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

void CoreHarness::AnswerParked() {
  std::vector<ParkedSync> still;
  for (ParkedSync& sync : parked_) {
    const v1::SyncRequest& request = sync.call.request;
    if (!sync.agent->is_up) {
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, Lost(), {}});
    } else if (sync.agent->is_silent) {
      still.push_back(sync);
    } else if (request.known_revision() != sync.agent->revision || !(request.wait_s() > 0)) {
      events_.push_back(Synced{sync.call.call, sync.call.agent_id, OkStatus(), sync.agent->SyncAnswer(clock.Now())});
    } else {
      still.push_back(sync);
    }
  }
  parked_ = std::move(still);
}

void CoreHarness::Answer(const OrderCall& call, const StatusOr<v1::AttemptStatus>& status) {
  events_.push_back(OrderAnswered{call.agent_id, status.status(), status.ok() ? *status : v1::AttemptStatus()});
}

void CoreHarness::PerformOrder(const OrderCall& call) {
  ScriptedAgent* agent = At(call.address);
  if (agent == nullptr || agent->is_silent) {
    events_.push_back(OrderAnswered{call.agent_id, Lost(), {}});
    return;
  }
  std::visit(
      [&](const auto& request) {
        agent->TakeFence(request.fence());
        EXPECT_GT(request.fence().seq(), agent->last_seq) << "an order without a new seq";
        agent->last_seq = request.fence().seq();
      },
      call.request);
  if (const auto* start = std::get_if<v1::StartRunRequest>(&call.request)) {
    const auto stored = *store->FindAttempt(start->attempt_id());
    EXPECT_TRUE(stored.has_value() && stored->state == AttemptState::kDispatched)
        << "StartRun left before its attempt was stored as dispatched";
    Answer(call, agent->TakeStart(*start));
  } else if (const auto* cancel = std::get_if<v1::CancelRunRequest>(&call.request)) {
    Answer(call, agent->TakeCancel(*cancel));
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
