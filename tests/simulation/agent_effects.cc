#include <algorithm>
#include <set>
#include <utility>

#include "common/overloaded.h"
#include "common/protocol_version.h"
#include "common/sha256.h"
#include "tests/simulation/agent_process.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

// What an agent's effects do to its machine, its callers and its coordinator.
namespace fleetmark::simulation {
namespace {

constexpr double kRegisterTimeoutS = 10;
constexpr double kLongestPauseS = 15;
constexpr double kCheckS = 10;
constexpr double kSilenceS = 60;

int ParameterOf(const v1::RunSpec& spec, const char* name) {
  const auto found = spec.parameters().find(name);
  return found == spec.parameters().end() ? 0 : std::atoi(found->second.c_str());
}

v1::AttemptReport DraftOf(const std::string& attempt_id, WorkerEnd end) {
  v1::AttemptReport draft;
  if (end == WorkerEnd::kSucceeds) {
    draft.set_outcome("succeeded");
    v1::Metric* metric = draft.mutable_result()->add_metrics();
    metric->set_name("it_per_s");
    metric->set_value(static_cast<double>(attempt_id.size()));
    draft.mutable_result()->mutable_environment()->mutable_device()->set_name("cpu");
    return draft;
  }
  draft.set_outcome("failed");
  draft.mutable_failure()->set_kind(end == WorkerEnd::kFails ? "out_of_memory" : "crashed");
  return draft;
}

}  // namespace

// Tells the monitor what this batch accepted and forgot; it is committed.
void AgentProcess::ObserveBatch(const std::vector<agent::Event>& events, const agent::Outcome& outcome) {
  std::map<agent::CallId, const agent::Reply*> replies;
  std::set<std::string> started;  // those that were known before are answered whatever the fence
  for (const agent::Effect& effect : outcome.effects) {
    if (const auto* reply = std::get_if<agent::Reply>(&effect)) replies[reply->call] = reply;
    if (const auto* spawn = std::get_if<agent::SpawnWorker>(&effect)) started.insert(spawn->attempt_id);
  }
  Monitor& monitor = world_->monitor();
  const auto is_refused = [&](agent::CallId call) { return replies.contains(call) && !replies[call]->status.ok(); };
  for (const agent::Event& event : events) {
    if (const auto* start = std::get_if<agent::StartRunCall>(&event)) {
      if (is_refused(start->call)) continue;
      monitor.OnStartAccepted(start->request, std::get<v1::AttemptStatus>(replies.at(start->call)->response));
      if (started.contains(start->request.attempt_id())) {
        monitor.OnFenceAccepted(JournalName(), start->request.fence());
      }
    } else if (const auto* cancel = std::get_if<agent::CancelRunCall>(&event)) {
      if (is_refused(cancel->call)) continue;
      monitor.OnFenceAccepted(JournalName(), cancel->request.fence());
      monitor.OnCancelAccepted(cancel->request.attempt_id(),
                               std::get<v1::AttemptStatus>(replies.at(cancel->call)->response));
    } else if (const auto* sync = std::get_if<agent::SyncCall>(&event)) {
      if (!is_refused(sync->call)) monitor.OnFenceAccepted(JournalName(), sync->request.fence());
    } else if (const auto* drain = std::get_if<agent::DrainCall>(&event)) {
      if (!is_refused(drain->call)) monitor.OnFenceAccepted(JournalName(), drain->request.fence());
    }
  }
  for (const agent::JournalWrite& write : outcome.writes) {
    const auto* retire = std::get_if<agent::RetireAttempt>(&write);
    if (retire == nullptr || retire->retired.is_tombstone) continue;
    const auto report = journal_.reports.find(retire->attempt_id);
    if (report != journal_.reports.end()) monitor.OnPruned(retire->attempt_id, Sha256Hex(report->second));
  }
}

void AgentProcess::Perform(const agent::Effect& effect) {
  std::visit(Overloaded{[this](const agent::SpawnWorker& spawn) { Spawn(spawn); },
                        [this](const agent::OpenGate& gate) { OpenGate(gate.attempt_id); },
                        [this](const agent::SignalWorker& signal) { Signal(signal.attempt_id, signal.is_kill); },
                        [this](const agent::KillStaleWorker& stale) {
                          machine_->Kill(stale.process.pid);
                          Post(agent::StaleWorkerGone{stale.attempt_id});
                        },
                        [this](const agent::Reply& reply) { ReplyTo(reply); },
                        [this](const agent::AnnounceStatus& announce) {
                          world_->Trace(name_, announce.status.attempt_id() + " " + announce.status.state() + " " +
                                                   announce.status.reason());
                        },
                        [](const agent::LogLine&) {}, [](const agent::Stopped&) {}},
             effect);
}

void AgentProcess::Spawn(const agent::SpawnWorker& spawn) {
  Worker worker;
  worker.attempt_id = spawn.attempt_id;
  worker.run_id = journal_.contents.attempts.at(spawn.attempt_id).request.run_id();
  worker.agent = index_;
  worker.ignores_term = ParameterOf(spawn.spec, "end") == static_cast<int>(WorkerEnd::kIgnoresTerm);
  worker.on_death = [this, life = life_, id = spawn.attempt_id] {
    if (life == life_) Post(agent::WorkerEnded{id, DraftOf(id, WorkerEnd::kCrashes)});
  };
  const Worker& spawned = machine_->Spawn(std::move(worker));
  world_->monitor().OnSpawn(*machine_, spawned, spawn.spec, SimulatedOffer().runtimes[0].description().workloads(0));
  Post(agent::WorkerSpawned{spawn.attempt_id, {spawned.pid, 1, machine_->boot_id()}});
}

void AgentProcess::OpenGate(const std::string& attempt_id) {
  const Worker* found = machine_->FindOf(attempt_id);
  if (found == nullptr) return;  // somebody has killed it behind its gate
  Worker& worker = *machine_->Find(found->pid);
  worker.is_gate_open = true;
  world_->monitor().OnGateOpen(worker);
  const v1::RunSpec& spec = journal_.contents.attempts.at(attempt_id).request.spec();
  const int end = ParameterOf(spec, "end");
  if (end >= static_cast<int>(WorkerEnd::kHangs)) return;
  world_->schedule().In(
      SecondsToNanos(ParameterOf(spec, "steps") * 0.1), Schedule::Kind::kTimer, AgentParty(index_),
      [this, pid = worker.pid, end] { EndWorker(pid, end); }, machine_->DescribeDeath(worker.pid));
}

void AgentProcess::EndWorker(int pid, int end) {
  Worker* worker = machine_->Find(pid);
  if (worker == nullptr) return;
  if (const int64_t until_ns = machine_->asleep_until_ns(); until_ns != 0) {
    world_->schedule().At(until_ns, Schedule::Kind::kTimer, AgentParty(index_),
                          [this, pid, end] { EndWorker(pid, end); });
    return;
  }
  if (worker->on_death) {
    worker->on_death = [this, life = life_, id = worker->attempt_id, end] {
      if (life == life_) Post(agent::WorkerEnded{id, DraftOf(id, static_cast<WorkerEnd>(end))});
    };
  }
  machine_->Kill(pid);
}

void AgentProcess::Signal(const std::string& attempt_id, bool is_kill) {
  const Worker* worker = machine_->FindOf(attempt_id);
  if (worker == nullptr || (!is_kill && worker->ignores_term)) return;
  const int64_t dies_in_ns = world_->dice().Between(1'000'000, is_kill ? 20'000'000 : 1'500'000'000);
  world_->schedule().In(
      dies_in_ns, Schedule::Kind::kTimer, AgentParty(index_), [this, pid = worker->pid] { machine_->Kill(pid); },
      machine_->DescribeDeath(worker->pid));
}

agent::CallId AgentProcess::Take(const Request& request, std::function<void(Answer)> reply) {
  if (std::holds_alternative<v1::DescribeRequest>(request)) {
    Answer answer;
    answer.description = Description();
    reply(std::move(answer));
    return 0;
  }
  if (const auto* fetch = std::get_if<FetchReport>(&request)) {
    Answer answer;
    const auto attempt = journal_.contents.attempts.find(fetch->attempt_id);
    const bool is_kept =
        attempt != journal_.contents.attempts.end() && attempt->second.state == agent::AttemptState::kResultReady;
    if (is_kept && attempt->second.report_sha256 == fetch->sha256) {
      answer.bytes = journal_.reports.at(fetch->attempt_id);
    } else {
      answer.status = NotFound("this agent keeps no such result");
    }
    reply(std::move(answer));
    return 0;
  }
  const agent::CallId call = next_call_++;
  calls_[call] = std::move(reply);
  std::visit(Overloaded{[&](const v1::SyncRequest& typed) {
                          Post(agent::SyncCall{call, typed});
                        },
                        [&](const v1::StartRunRequest& typed) {
                          Post(agent::StartRunCall{call, typed});
                        },
                        [&](const v1::CancelRunRequest& typed) {
                          Post(agent::CancelRunCall{call, typed});
                        },
                        [&](const v1::DrainRequest& typed) {
                          Post(agent::DrainCall{call, typed});
                        },
                        [](const auto&) {}},
             request);
  return call;
}

void AgentProcess::Abandon(uint64_t life, agent::CallId call) {
  if (life != life_ || calls_.erase(call) == 0) return;
  Post(agent::CallGone{call});
}

bool AgentProcess::DescribeAbandon(uint64_t life, agent::CallId call, Digest* digest) const {
  if (digest != nullptr) digest->AddOrdered(Digest::Order::kAgentCall, index_, static_cast<double>(call));
  return life == life_ && calls_.contains(call);
}

void AgentProcess::ReplyTo(const agent::Reply& reply) {
  auto waiting = calls_.extract(reply.call);
  if (waiting.empty()) return;
  Answer answer;
  answer.status = reply.status;
  if (const auto* attempt = std::get_if<v1::AttemptStatus>(&reply.response)) answer.attempt = *attempt;
  if (const auto* sync = std::get_if<v1::SyncResponse>(&reply.response)) answer.sync = *sync;
  waiting.mapped()(std::move(answer));
}

v1::AgentDescription AgentProcess::Description() const {
  v1::AgentDescription description;
  description.set_agent_id("id-" + name_);
  description.set_boot_id(machine_->boot_id());
  description.set_incarnation(journal_.contents.incarnation);
  description.set_process_id(name_ + "-process-" + std::to_string(life_));
  description.set_name(name_);
  description.set_version("simulated");
  description.set_protocol_min(SpokenProtocols().min);
  description.set_protocol_max(SpokenProtocols().max);
  for (v1::Device& device : DevicesOf(SimulatedOffer())) *description.add_devices() = std::move(device);
  *description.add_runtimes() = SimulatedOffer().runtimes[0];
  for (const std::string& feature : SimulatedOffer().features) description.add_features(feature);
  description.set_cluster_id(core_->fence().cluster_id);
  description.set_max_coordinator_epoch_seen(core_->fence().coordinator_epoch);
  description.set_coordinator_instance_id_seen(core_->fence().coordinator_instance_id);
  return description;
}

// As agent/registration.cc: until the coordinator has said yes, and again when it has not been heard for a minute.
void AgentProcess::Register() {
  ++registration_;
  RegisterIn(kRegisterTimeoutS);
  world_->RegisterAgent(index_, registration_, Description());
}

void AgentProcess::RegisterIn(double seconds) {
  OwnTimer(
      world_->schedule().now_ns() + SecondsToNanos(seconds), [this] { Register(); },
      [this, number = registration_] { return number == registration_; });
}

void AgentProcess::OnRegistered(uint64_t number, const Status& status) {
  if (!IsRegistering(number)) return;
  if (status.ok()) {
    registered_ns_ = machine_->Now().boottime_ns;
    registration_pause_s_ = 0.5;
    CheckRegistration();
  } else {
    RegisterIn(registration_pause_s_);
    registration_pause_s_ = std::min(registration_pause_s_ * 2, kLongestPauseS);
  }
}

void AgentProcess::CheckRegistration() {
  OwnTimer(
      world_->schedule().now_ns() + SecondsToNanos(kCheckS),
      [this] {
        const int64_t heard_ns = std::max(core_->last_sync_ns(), registered_ns_);
        if (machine_->Now().boottime_ns - heard_ns < SecondsToNanos(kSilenceS)) return CheckRegistration();
        Register();
      },
      [this, number = ++registration_] { return number == registration_; });
}

}  // namespace fleetmark::simulation
