#include "agent/agent_loop.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/worker_command.h"
#include "common/failpoint.h"
#include "common/ids.h"
#include "common/overloaded.h"

namespace fleetmark::agent {
namespace {

constexpr int64_t kFirstRetryNs = kNanosPerSecond / 10;
constexpr int64_t kLongestRetryNs = 5 * kNanosPerSecond;
constexpr int64_t kUpkeepIntervalNs = 30 * kNanosPerSecond;
// CLOCK_BOOTTIME goes on while the machine sleeps, and a wait does not: deadlines of what runs are looked at this
// often.
constexpr int64_t kLongestWaitNs = kNanosPerSecond;
constexpr auto kStopPatience = std::chrono::seconds(10);
constexpr int kKeptLogs = 200;
constexpr int kCleanupInterval = 50;  // pruned attempts between two looks for old logs

std::optional<CallId> CallOf(const Event& event) {
  return std::visit(Overloaded{[](const StartRunCall& call) { return std::optional(call.call); },
                               [](const CancelRunCall& call) { return std::optional(call.call); },
                               [](const SyncCall& call) { return std::optional(call.call); },
                               [](const DrainCall& call) { return std::optional(call.call); },
                               [](const auto&) { return std::optional<CallId>(); }},
                    event);
}

bool IsId(const std::string& text) {
  return text.size() == kIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

// Made once, beside the journal: a new journal is a new incarnation of the same agent. The journal has a copy, because
// an agent whose file is damaged must not come back as a stranger of the same name.
StatusOr<std::string> ReadOrMakeAgentId(const std::filesystem::path& directory, Journal* journal) {
  const std::filesystem::path path = directory / "agent_id";
  FLEETMARK_ASSIGN_OR_RETURN(const std::string copy, journal->AgentId());
  std::string id;
  if (std::filesystem::exists(path)) {
    FLEETMARK_ASSIGN_OR_RETURN(id, ReadFile(path));
    id.erase(std::min(id.find('\n'), id.size()));
    if (!IsId(id)) spdlog::warn("{} holds no agent's id; it is written anew", path.string());
  }
  if (!IsId(id)) {
    id = copy.empty() ? NewId() : copy;
    FLEETMARK_RETURN_IF_ERROR(WriteFileAtomically(path, id + "\n"));
  }
  if (id != copy) FLEETMARK_RETURN_IF_ERROR(journal->KeepAgentId(id));
  return id;
}

}  // namespace

StatusOr<std::unique_ptr<AgentLoop>> AgentLoop::Start(Options options) {
  if (!(options.telemetry_interval_s >= 0.01 && options.telemetry_interval_s <= 0.5)) {
    return InvalidArgument("--telemetry-interval must be from 0.01 to 0.5 seconds",
                           "verdicts rest on two readings a second at least", "bad_setting");
  }
  std::unique_ptr<AgentLoop> loop(new AgentLoop(std::move(options)));
  FLEETMARK_RETURN_IF_ERROR(loop->Open());
  AgentLoop* raw = loop.get();
  loop->Post(AgentStarted{});
  loop->thread_ = std::thread([raw] { raw->Run(); });
  return loop;
}

Status AgentLoop::Open() {
  const std::filesystem::path& directory = options_.state_directory;
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(directory, true));
  FLEETMARK_ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(directory / "lock"));
  directory_lock_ = std::make_unique<FileLock>(std::move(lock));
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(directory / "logs", true));
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(directory / "work", true));
  device_locks_ = std::make_unique<DeviceLocks>(options_.lock_directory, options_.share);
  FLEETMARK_RETURN_IF_ERROR(device_locks_->Prepare());
  FLEETMARK_ASSIGN_OR_RETURN(Journal::Opened opened, Journal::Open(directory, options_.clock->Now().unix_s()));
  FailPoint("agent.journal_opened");
  if (!opened.warning.empty()) spdlog::warn("{}", opened.warning);
  FLEETMARK_ASSIGN_OR_RETURN(agent_id_, ReadOrMakeAgentId(directory, opened.journal.get()));
  FailPoint("agent.identity_made");
  ceiling_book_ = std::make_unique<CeilingBook>(directory, options_.clock->Now().unix_s());
  if (!ceiling_book_->warning().empty()) spdlog::warn("{}", ceiling_book_->warning());
  boot_id_ = BootId();
  process_id_ = NewId();
  incarnation_ = opened.contents.incarnation;
  fence_ = opened.contents.fence;
  journal_ = std::move(opened.journal);
  core_ = std::make_unique<AgentCore>(AgentCore::Identity{boot_id_, process_id_}, options_.offer,
                                      std::move(opened.contents));
  supervisor_ = std::make_unique<Supervisor>(Supervisor::Options{
      boot_id_,
      directory / "logs",
      [this](Event event) { Post(std::move(event)); },
      [this](const std::string& attempt_id, v1::RunEvent event) { watch_hub_.Publish(attempt_id, std::move(event)); },
      {.make_sensors = options_.make_sensors, .interval_s = options_.telemetry_interval_s}});
  return OkStatus();
}

AgentLoop::~AgentLoop() {
  Stop();
  supervisor_.reset();  // joins the workers' threads, which post to this object
}

void AgentLoop::Stop() {
  std::call_once(stop_once_, [this] {
    if (!thread_.joinable()) return;
    FailPoint("agent.stopping");
    Post(StopRequested{});
    {
      std::unique_lock lock(mutex_);
      if (!closed_.wait_for(lock, kStopPatience, [this] { return is_closed_; })) {
        spdlog::warn("stopping without the last reports: the journal cannot be written, or a worker does not die");
        is_closed_ = true;
        wake_.notify_all();
      }
    }
    thread_.join();
    watch_hub_.Close();
  });
}

void AgentLoop::Run() {
  while (true) {
    std::vector<Event> events = WaitForEvents();
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) break;
    }
    ProcessAll(std::move(events));
    if (is_stopped_) break;
  }
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (auto& [call, promise] : calls_) promise.set_value({Unavailable("the agent is being stopped"), {}});
  calls_.clear();
  closed_.notify_all();
}

std::vector<Event> AgentLoop::WaitForEvents() {
  std::optional<int64_t> deadline = core_->NextDeadline();
  const auto no_later_than = [&deadline](int64_t moment_ns) {
    deadline = std::min(deadline.value_or(moment_ns), moment_ns);
  };
  no_later_than(upkeep_at_ns_);
  if (!retries_.empty()) no_later_than(retry_at_ns_);
  if (core_->has_live_attempts()) no_later_than(options_.clock->Now().boottime_ns + kLongestWaitNs);
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return !queue_.empty() || is_closed_; };
  const int64_t wait_ns = std::max<int64_t>(*deadline - options_.clock->Now().boottime_ns, 0);
  wake_.wait_for(lock, std::chrono::nanoseconds(wait_ns), has_work);
  return std::exchange(queue_, {});
}

// What the machine reported is committed apart from what callers ask: a report that cannot be written must not make an
// agent deaf that could still tell why.
void AgentLoop::ProcessAll(std::vector<Event> events) {
  const auto calls = std::stable_partition(events.begin(), events.end(),
                                           [](const Event& event) { return !CallOf(event).has_value(); });
  std::vector<Event> machine(std::make_move_iterator(events.begin()), std::make_move_iterator(calls));
  events.erase(events.begin(), calls);
  if (retries_.empty() || options_.clock->Now().boottime_ns >= retry_at_ns_) {
    std::vector<Event> ready = std::exchange(retries_, {});
    std::move(machine.begin(), machine.end(), std::back_inserter(ready));
    ready.push_back(Tick{});
    Process(std::move(ready));
  } else {
    std::move(machine.begin(), machine.end(), std::back_inserter(retries_));  // keeps its order behind what waits
    Process({Tick{}});
  }
  if (options_.clock->Now().boottime_ns >= upkeep_at_ns_) Upkeep();
  RefreshCapacity();
  if (!events.empty()) Process(std::move(events));
}

void AgentLoop::Upkeep() {
  Process({PurgeDue{}});
  // With nothing else to write a journal that failed would never be seen to work again.
  if (!commit_status_.ok() && retries_.empty()) {
    const Status status = journal_->Commit({PutFence{core_->fence()}});
    if (status.ok()) NoteJournalWorks();
  }
  const int64_t interval_ns = commit_status_.ok() ? kUpkeepIntervalNs : kLongestRetryNs;
  upkeep_at_ns_ = options_.clock->Now().boottime_ns + interval_ns;
}

void AgentLoop::NoteJournalWorks() {
  if (commit_status_.ok()) return;
  spdlog::info("the journal can be written again");
  commit_status_ = OkStatus();
  retry_delay_ns_ = 0;
}

void AgentLoop::Process(std::vector<Event> events) {
  Outcome outcome;
  core_->BeginBatch();
  const Moment now = options_.clock->Now();
  for (Event& event : events) {
    if (std::holds_alternative<StartRunCall>(event)) {
      StepStart(&event, now, &outcome);
    } else {
      core_->Step(event, now, &outcome);
    }
  }
  if (const Status status = journal_->Commit(outcome.writes); !status.ok()) {
    core_->Rollback();
    locks_.clear();
    RetryLater(std::move(events), status);
    return;
  }
  if (!outcome.writes.empty()) NoteJournalWorks();
  Publish();
  for (const Effect& effect : outcome.effects) Perform(effect);
  locks_.clear();  // workers have inherited theirs
  SettleBatch(events, outcome.writes);
}

// One that starts nothing lets go of the device at once: another of the same batch may be for it.
void AgentLoop::StepStart(Event* event, Moment now, Outcome* outcome) {
  StartRunCall& call = std::get<StartRunCall>(*event);
  const std::string attempt_id = call.request.attempt_id();
  auto locks = device_locks_->Acquire(
      DeviceUuid(call.request), "run " + std::string(ShortId(call.request.run_id())) + " of agent " + options_.name);
  call.lock = locks.status();
  const auto before = static_cast<std::ptrdiff_t>(outcome->effects.size());
  core_->Step(*event, now, outcome);
  const bool spawns = std::any_of(outcome->effects.begin() + before, outcome->effects.end(),
                                  [](const Effect& effect) { return std::holds_alternative<SpawnWorker>(effect); });
  if (spawns) locks_.emplace(attempt_id, *std::move(locks));
}

Status AgentLoop::Capacity() const {
  if (!commit_status_.ok()) return commit_status_;
  const auto free = FreeBytes(options_.state_directory);
  if (!free.ok() || *free >= options_.min_free_bytes) return OkStatus();
  return FailedPrecondition("the disk is nearly full: less than " +
                                std::to_string(static_cast<int64_t>(options_.min_free_bytes / 1e6)) +
                                " MB are free at " + options_.state_directory.string(),
                            "free some space there, or lower --min-free-mb", "disk_full");
}

void AgentLoop::RefreshCapacity() {
  const Status capacity = Capacity();
  if (capacity.message() == capacity_.message()) return;
  if (!capacity.ok()) spdlog::warn("no new work is taken: {}", capacity.ToString());
  capacity_ = capacity;
  Process({CapacityChanged{capacity}});  // writes nothing, so it cannot fail
}

// Nothing of the batch has happened. Callers are told; what the machine reported is kept and tried again.
void AgentLoop::RetryLater(std::vector<Event> events, const Status& status) {
  commit_status_ = ResourceExhausted(status.message(), status.hint(), status.kind());
  retry_delay_ns_ = std::clamp(retry_delay_ns_ * 2, kFirstRetryNs, kLongestRetryNs);
  const int64_t now_ns = options_.clock->Now().boottime_ns;
  retry_at_ns_ = now_ns + retry_delay_ns_;
  upkeep_at_ns_ = std::min(upkeep_at_ns_, now_ns + kLongestRetryNs);
  std::vector<Event> kept;
  for (Event& event : events) {
    if (const auto call = CallOf(event)) {
      // No refusal: whether a StartRun is here is to be asked again when something can be written.
      Answered(*call, {Unavailable(status.message(), status.hint(), status.kind()), {}});
    } else if (!std::holds_alternative<Tick>(event) && !std::holds_alternative<PurgeDue>(event)) {
      kept.push_back(std::move(event));
    }
  }
  kept.insert(kept.end(), std::make_move_iterator(retries_.begin()), std::make_move_iterator(retries_.end()));
  retries_ = std::move(kept);
  if (!retries_.empty())
    spdlog::error("{} events wait until the journal can be written: {}", retries_.size(), status.ToString());
}

void AgentLoop::Perform(const Effect& effect) {
  std::visit(Overloaded{[this](const SpawnWorker& spawn) {
                          FailPoint("agent.before_fork");
                          Spawn(spawn);
                        },
                        [this](const OpenGate& gate) {
                          FailPoint("agent.before_gate");
                          supervisor_->OpenGate(gate.attempt_id);
                          FailPoint("agent.gate_opened");
                        },
                        [this](const SignalWorker& signal) {
                          FailPoint("agent.before_signal");
                          supervisor_->Signal(signal.attempt_id, signal.is_kill ? SIGKILL : SIGTERM);
                        },
                        [this](const KillStaleWorker& stale) {
                          FailPoint("agent.before_stale_kill");
                          supervisor_->KillStale(stale.attempt_id, stale.process);
                        },
                        [this](const Reply& reply) {
                          FailPoint("agent.before_reply");
                          Answered(reply.call, {reply.status, reply.response});
                        },
                        [this](const AnnounceStatus& announce) {
                          FailPoint("agent.before_announce");
                          v1::RunEvent event;
                          *event.mutable_status() = announce.status;
                          watch_hub_.Publish(announce.status.attempt_id(), std::move(event));
                          spdlog::info("attempt {}: {} {}", announce.status.attempt_id(), announce.status.state(),
                                       announce.status.reason());
                        },
                        [](const LogLine& line) {
                          spdlog::log(line.is_warning ? spdlog::level::warn : spdlog::level::info, line.text);
                        },
                        [this](const Stopped&) { is_stopped_ = true; }},
             effect);
}

void AgentLoop::Spawn(const SpawnWorker& effect) {
  v1::CeilingConditions conditions = CeilingConditionsOf(options_.offer, effect.spec);
  WorkerCommand command = MakeWorkerCommand(options_.runners.at(effect.spec.runtime()), effect.spec, effect.attempt_id,
                                            {options_.dataset_directory, ceiling_book_->Known(conditions)},
                                            options_.state_directory / "work");
  command.inherited = locks_[effect.attempt_id].descriptors();
  auto process =
      supervisor_->Spawn(effect.attempt_id, command, {effect.telemetry, effect.spec.device(), effect.device_uuid});
  if (process.ok()) {
    ceiling_conditions_[effect.attempt_id] = std::move(conditions);
    Post(WorkerSpawned{effect.attempt_id, *std::move(process)});
  } else {
    Post(SpawnFailed{effect.attempt_id, process.status()});
  }
}

// After the commit: threads and files of what has ended are given back.
void AgentLoop::SettleBatch(const std::vector<Event>& events, const std::vector<JournalWrite>& writes) {
  for (const Event& event : events) {
    if (const auto* ended = std::get_if<WorkerEnded>(&event)) {
      supervisor_->Forget(ended->attempt_id);
      KeepCeilings(*ended);
    }
    if (const auto* gone = std::get_if<StaleWorkerGone>(&event)) supervisor_->Forget(gone->attempt_id);
  }
  for (const JournalWrite& write : writes) {
    if (std::holds_alternative<RetireAttempt>(write)) ++retired_since_cleanup_;
  }
  if (retired_since_cleanup_ >= kCleanupInterval) DeleteOldLogs();
}

// As they were when the worker was started, so that what it was given and what it found are of one machine.
void AgentLoop::KeepCeilings(const WorkerEnded& ended) {
  const auto conditions = ceiling_conditions_.extract(ended.attempt_id);
  if (conditions.empty()) return;
  const auto& ceilings = ended.draft.result().ceilings();
  const Status status = ceiling_book_->Keep(conditions.mapped(), {ceilings.begin(), ceilings.end()});
  if (!status.ok()) spdlog::warn("ceilings will be measured again after a restart: {}", status.ToString());
}

// Logs stay for a while after the acknowledgement, so that `fleetmark logs` finds them.
void AgentLoop::DeleteOldLogs() {
  retired_since_cleanup_ = 0;
  std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.state_directory / "logs", error)) {
    logs.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::sort(logs.begin(), logs.end());
  for (size_t i = 0; i + kKeptLogs < logs.size(); ++i) std::filesystem::remove(logs[i].second, error);
}

void AgentLoop::Publish() {
  last_sync_ns_ = core_->last_sync_ns();
  const std::lock_guard lock(mutex_);
  fence_ = core_->fence();
}

}  // namespace fleetmark::agent
