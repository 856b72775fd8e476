#include "tests/simulation/agent_process.h"

#include <algorithm>
#include <utility>

#include "common/sha256.h"
#include "tests/simulation/world.h"

namespace fleetmark::simulation {
namespace {

constexpr int64_t kPurgeIntervalNs = 30 * kNanosPerSecond;
constexpr int64_t kLongestRetryNs = 5 * kNanosPerSecond;
constexpr int64_t kLongestWaitNs = kNanosPerSecond;

std::optional<agent::CallId> CallOf(const agent::Event& event) {
  return std::visit(
      [](const auto& typed) -> std::optional<agent::CallId> {
        using T = std::decay_t<decltype(typed)>;
        if constexpr (std::is_same_v<T, agent::StartRunCall> || std::is_same_v<T, agent::CancelRunCall> ||
                      std::is_same_v<T, agent::SyncCall> || std::is_same_v<T, agent::DrainCall>) {
          return typed.call;
        }
        return std::nullopt;
      },
      event);
}

v1::ParameterSpec* AddParameter(v1::WorkloadSpec* workload, const char* name, double most) {
  v1::ParameterSpec* parameter = workload->add_parameters();
  parameter->set_name(name);
  parameter->set_type("int");
  parameter->set_default_value("0");
  parameter->set_min(0);
  parameter->set_max(most);
  return parameter;
}

}  // namespace

const agent::Offer& SimulatedOffer() {
  static const agent::Offer offer = [] {
    agent::Offer made;
    v1::Runtime& runtime = made.runtimes.emplace_back();
    runtime.set_name("libtorch");
    v1::RunnerDescription* runner = runtime.mutable_description();
    runner->set_runtime("libtorch");
    v1::Device* device = runner->add_devices();
    device->set_name("cpu");
    device->set_kind("cpu");
    device->set_uuid("cpu");
    v1::WorkloadSpec* workload = runner->add_workloads();
    workload->set_name("work");
    workload->set_version(1);
    workload->add_device_kinds("cpu");
    AddParameter(workload, "steps", 10'000);
    AddParameter(workload, "end", 4);
    return made;
  }();
  return offer;
}

AgentProcess::AgentProcess(World* world, int index, Machine* machine)
    : world_(world), index_(index), name_("a" + std::to_string(index)), machine_(machine), address_(name_ + ":1") {
  journal_.contents.incarnation = name_ + "-journal-1";
}

agent::AgentCore AgentProcess::CoreOver(const std::string& process_id) const {
  return {{machine_->boot_id(), process_id}, SimulatedOffer(), journal_.contents};
}

void AgentProcess::Start() {
  if (is_alive()) return;
  ++life_;
  core_ = std::make_unique<agent::AgentCore>(CoreOver(name_ + "-process-" + std::to_string(life_)));
  world_->Trace(name_, "starts");
  purge_at_ns_ = machine_->Now().boottime_ns + kPurgeIntervalNs;
  Post(agent::AgentStarted{});
  registration_pause_s_ = 0.5;
  OwnTimer(world_->schedule().now_ns() + SecondsToNanos(0.1), [this] { Register(); });
}

void AgentProcess::Crash() {
  if (!is_alive()) return;
  world_->Trace(name_, "dies");
  core_.reset();
  inbox_.clear();
  retries_.clear();
  retry_at_ns_ = retry_delay_ns_ = wake_at_ns_ = registered_ns_ = 0;
  is_turn_due_ = false;
  is_capacity_told_ = true;
  locked_for_.clear();
  crash_in_ = -1;
  ++registration_;
  machine_->Orphan(index_);
  for (auto& [id, reply] : std::exchange(calls_, {})) {
    Answer broken;
    broken.status = Unavailable("the connection broke");
    reply(std::move(broken));
  }
}

void AgentProcess::CrashAt(int point, double restart_after_s) {
  crash_in_ = point;
  restart_after_s_ = restart_after_s;
}

bool AgentProcess::ReachesPoint() {
  if (crash_in_ < 0 || crash_in_-- > 0) return false;
  Crash();
  StartIn(restart_after_s_);
  return true;
}

void AgentProcess::StartIn(double seconds) {
  world_->schedule().In(SecondsToNanos(seconds), Schedule::Kind::kTimer, AgentParty(index_), [this] { Start(); });
}

void AgentProcess::LoseJournal() {
  journal_ = {};
  journal_.contents.incarnation = name_ + "-journal-" + std::to_string(++journals_);
}

void AgentProcess::Move() { address_ = name_ + ":" + std::to_string(2 + moves_++); }

bool AgentProcess::ForgeConflict() {
  if (is_alive() || journal_.reports.empty()) return false;
  const auto& [attempt_id, bytes] = *journal_.reports.begin();
  if (journal_.contents.attempts.contains(attempt_id)) return false;
  v1::AttemptReport report;
  report.ParseFromString(bytes);
  report.set_stderr_tail("another time");
  agent::Attempt& attempt = journal_.contents.attempts[attempt_id];
  attempt.request.set_attempt_id(attempt_id);
  attempt.request.set_run_id(report.run_id());
  journal_.contents.retired.erase(attempt_id);
  const std::string other = report.SerializeAsString();
  journal_.Apply(agent::PutReport{attempt_id, Sha256Hex(other), other});
  return true;
}

void AgentProcess::Post(agent::Event event) {
  if (!is_alive()) return;
  inbox_.push_back(std::move(event));
  TurnSoon();
}

void AgentProcess::TurnSoon() {
  if (is_turn_due_) return;
  is_turn_due_ = true;
  world_->schedule().In(world_->dice().Between(10'000, 2'000'000), Schedule::Kind::kTurn, AgentParty(index_),
                        [this, life = life_] {
                          if (life == life_ && is_alive()) Turn();
                        });
}

void AgentProcess::WakeAt(int64_t boottime_ns) {
  const int64_t at_ns = machine_->When(boottime_ns);
  if (wake_at_ns_ > world_->schedule().now_ns() && wake_at_ns_ <= at_ns) return;
  wake_at_ns_ = at_ns;
  OwnTimer(
      at_ns, [this] { TurnSoon(); }, [this, at_ns] { return wake_at_ns_ == at_ns; });
}

void AgentProcess::OwnTimer(int64_t at_ns, std::function<void()> act, const std::function<bool()>& is_awaited,
                            std::source_location where) {
  const auto is_due = [this, life = life_, is_awaited] {
    return life == life_ && is_alive() && (!is_awaited || is_awaited());
  };
  world_->schedule().At(
      at_ns, Schedule::Kind::kTimer, AgentParty(index_),
      [is_due, act = std::move(act)] {
        if (is_due()) act();
      },
      [is_due](Digest*) { return is_due(); }, where);
}

// As AgentLoop::ProcessAll.
void AgentProcess::Turn() {
  if (const int64_t until_ns = machine_->asleep_until_ns(); until_ns != 0) {
    world_->schedule().At(until_ns, Schedule::Kind::kNow, AgentParty(index_), [this, life = life_] {
      if (life == life_ && is_alive()) Turn();
    });
    return;
  }
  is_turn_due_ = false;
  const uint64_t life = life_;
  std::vector<agent::Event> events = std::exchange(inbox_, {});
  const auto calls =
      std::stable_partition(events.begin(), events.end(), [](const agent::Event& event) { return !CallOf(event); });
  std::vector<agent::Event> machine(std::make_move_iterator(events.begin()), std::make_move_iterator(calls));
  events.erase(events.begin(), calls);
  if (retries_.empty() || machine_->Now().boottime_ns >= retry_at_ns_) {
    std::vector<agent::Event> ready = std::exchange(retries_, {});
    std::move(machine.begin(), machine.end(), std::back_inserter(ready));
    ready.emplace_back(agent::Tick{});
    Process(std::move(ready));
  } else {
    std::move(machine.begin(), machine.end(), std::back_inserter(retries_));
    Process({agent::Tick{}});
  }
  if (life == life_ && is_alive() && machine_->Now().boottime_ns >= purge_at_ns_) {
    purge_at_ns_ = machine_->Now().boottime_ns + kPurgeIntervalNs;
    Process({agent::PurgeDue{}});
  }
  if (life == life_ && is_alive()) RefreshCapacity();
  if (life == life_ && is_alive() && !events.empty()) Process(std::move(events));
  if (life != life_ || !is_alive()) return;
  if (!inbox_.empty()) TurnSoon();
  int64_t wake_ns = core_->NextDeadline().value_or(purge_at_ns_);
  if (!retries_.empty()) wake_ns = std::min(wake_ns, retry_at_ns_);
  if (core_->has_live_attempts()) wake_ns = std::min(wake_ns, machine_->Now().boottime_ns + kLongestWaitNs);
  WakeAt(wake_ns);
}

void AgentProcess::Process(std::vector<agent::Event> events) {
  agent::Outcome outcome;
  core_->BeginBatch();
  const Moment now = machine_->Now();
  for (agent::Event& event : events) {
    if (auto* start = std::get_if<agent::StartRunCall>(&event)) PrepareStart(start);
    core_->Step(event, now, &outcome);
  }
  if (!outcome.writes.empty()) {
    if (ReachesPoint()) return;
    const bool are_fences = std::all_of(outcome.writes.begin(), outcome.writes.end(), [](const auto& write) {
      return std::holds_alternative<agent::PutFence>(write);
    });
    if (is_full && !(takes_fences && are_fences)) {
      core_->Rollback();
      locked_for_.clear();
      RetryLater(std::move(events));
      return;
    }
    for (const agent::JournalWrite& write : outcome.writes) journal_.Apply(write);
    retry_delay_ns_ = 0;
  }
  ObserveBatch(events, outcome);
  const uint64_t life = life_;
  for (const agent::Effect& effect : outcome.effects) {
    if (ReachesPoint()) return;
    Perform(effect);
    if (life != life_ || !is_alive()) return;
  }
  locked_for_.clear();
}

void AgentProcess::PrepareStart(agent::StartRunCall* call) {
  if (machine_->IsLocked() || !locked_for_.empty()) {
    call->lock = FailedPrecondition("this machine is busy", "", "device_busy");
  } else {
    locked_for_ = call->request.attempt_id();
  }
}

void AgentProcess::RetryLater(std::vector<agent::Event> events) {
  retry_delay_ns_ = std::clamp(retry_delay_ns_ * 2, kNanosPerSecond / 10, kLongestRetryNs);
  retry_at_ns_ = machine_->Now().boottime_ns + retry_delay_ns_;
  std::vector<agent::Event> kept;
  for (agent::Event& event : events) {
    if (const auto call = CallOf(event)) {
      ReplyTo({*call, Unavailable("the disk is full", "", "disk_full"), {}});
    } else if (!std::holds_alternative<agent::Tick>(event) && !std::holds_alternative<agent::PurgeDue>(event)) {
      kept.push_back(std::move(event));
    }
  }
  kept.insert(kept.end(), std::make_move_iterator(retries_.begin()), std::make_move_iterator(retries_.end()));
  retries_ = std::move(kept);
}

void AgentProcess::RefreshCapacity() {
  const bool is_fine = !is_full && retries_.empty();
  if (is_fine == is_capacity_told_) return;
  is_capacity_told_ = is_fine;
  Process({agent::CapacityChanged{is_fine ? OkStatus() : FailedPrecondition("the disk is full", "", "disk_full")}});
}

}  // namespace fleetmark::simulation
