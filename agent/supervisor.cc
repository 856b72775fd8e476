#include "agent/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <utility>

#include "agent/event_collector.h"
#include "agent/process_table.h"
#include "agent/run_log.h"
#include "agent/worker_report.h"
#include "common/failpoint.h"
#include "common/host_info.h"
#include "common/vocabulary.h"

namespace fleetmark::agent {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr auto kProgressInterval = std::chrono::milliseconds(100);
constexpr double kKillTimeoutS = 3;
constexpr size_t kReadBytes = 64 << 10;
constexpr int kMostLastReads = 256;  // more than both pipes hold

double SecondsBetween(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

// Whether this process still has a child: then something that the worker started has outlived it.
bool HasChildren() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace

// One worker and the thread that reads it.
class Supervisor::Worker {
 public:
  Worker(std::string attempt_id, const Options& options, LiveWorkers* live_workers, Sampler* sampler, Sampling sampling,
         std::unique_ptr<WorkerProcess> process, const std::filesystem::path& log)
      : attempt_id_(std::move(attempt_id)),
        options_(options),
        live_workers_(live_workers),
        process_(std::move(process)),
        sampling_(std::move(sampling)),
        log_(log),
        events_([this](v1::RunEvent event) { Publish(std::move(event)); }),
        load1_before_(ReadLoadAverage()) {
    if (sampling_.mode == kTelemetryAlternating) alternating_ = BlockSchedule();
    if (sampling_.mode != kTelemetryOff) recording_ = sampler->Record(alternating_);
    thread_ = std::thread([this] { Run(); });
  }
  ~Worker() {
    process_->Signal(SIGKILL);
    thread_.join();
  }

  int pid() const { return process_->pid(); }
  void OpenGate() {
    gate_opened_ = std::chrono::steady_clock::now();
    process_->OpenGate();
    if (recording_) recording_->Start({process_->pid(), sampling_.device, sampling_.device_uuid});
  }
  void Signal(int signal) { process_->Signal(signal); }

 private:
  void Run() {
    WorkerObservation observation;
    observation.host = ReadHostInfo();  // while the worker still waits for its gate
    observation.device = sampling_.device;
    const double oom_kills_before = ReadOomKills();
    while (!Poll()) {
    }
    observation.was_signalled = process_->was_signalled();
    observation.exit = process_->Reap();
    const double oom_kills = ReadOomKills();
    observation.oom_kills = oom_kills < 0 ? -1 : oom_kills - oom_kills_before;
    const SteadyTime ended = std::chrono::steady_clock::now();
    live_workers_->Remove(process_->pid());
    if (HasChildren() && !live_workers_->EndStrays(attempt_id_, kKillTimeoutS)) {
      spdlog::warn("something that attempt {} started is still alive and may disturb what is measured next",
                   attempt_id_);
    }
    // What is still in the pipes. Bounded, in case that somebody got away and writes on.
    for (int reads = 0; reads < kMostLastReads && (ReadEvents() || ReadOutput()); ++reads) {
    }
    events_.Finish();
    StampMeasuredPart();
    log_.Finish();
    observation.wall_s = SecondsBetween(gate_opened_.load(), ended);
    observation.spawn_to_main_s = spawn_to_main_s_;
    observation.load1_before = load1_before_;
    observation.load1_after = ReadLoadAverage();
    FinishTelemetry(&observation);
    FailPoint("agent.worker_reaped");
    options_.on_event(WorkerEnded{attempt_id_, DraftReport(observation, events_, log_)});
  }

  void FinishTelemetry(WorkerObservation* observation) {
    if (!recording_) return;
    observation->alternating = alternating_;
    observation->telemetry = recording_->Finish();
    if (measured_from_s_) observation->telemetry->set_measured_from_s(*measured_from_s_);
    if (measured_until_s_) observation->telemetry->set_measured_until_s(*measured_until_s_);
  }

  // Waits for the worker and takes what it wrote; true once it ended.
  bool Poll() {
    std::array<pollfd, 3> waits = {{{process_->event_descriptor(), POLLIN, 0},
                                    {process_->output_descriptor(), POLLIN, 0},
                                    {process_->end_descriptor(), POLLIN, 0}}};
    if (events_ended_) waits[0].fd = -1;
    if (output_ended_) waits[1].fd = -1;
    if (poll(waits.data(), waits.size(), -1) < 0) return false;
    if (waits[0].revents != 0) ReadEvents();
    if (waits[1].revents != 0) ReadOutput();
    return waits[2].revents != 0;
  }

  bool ReadEvents() {
    const ssize_t size = read(process_->event_descriptor(), buffer_.data(), buffer_.size());
    if (size == 0) events_ended_ = true;
    if (size <= 0) return false;
    if (spawn_to_main_s_ == 0) spawn_to_main_s_ = SecondsBetween(forked_, std::chrono::steady_clock::now());
    if (!events_.breach().empty()) return false;
    // What breaches the protocol cannot bring a result any more.
    if (!events_.Feed({buffer_.data(), static_cast<size_t>(size)})) process_->Signal(SIGKILL);
    StampMeasuredPart();
    return events_.breach().empty();
  }

  void StampMeasuredPart() {
    const double now_s = SecondsBetween(gate_opened_.load(), std::chrono::steady_clock::now());
    if (events_.part() != EventCollector::Part::kBefore && !measured_from_s_) measured_from_s_ = now_s;
    if (events_.part() == EventCollector::Part::kBehind && !measured_until_s_) measured_until_s_ = now_s;
  }

  bool ReadOutput() {
    const ssize_t size = read(process_->output_descriptor(), buffer_.data(), buffer_.size());
    if (size == 0) output_ended_ = true;
    if (size <= 0) return false;
    log_.Append({buffer_.data(), static_cast<size_t>(size)});
    return true;
  }

  void Publish(v1::RunEvent event) {
    if (event.has_progress()) {
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now - last_progress_ < kProgressInterval) return;
      last_progress_ = now;
    }
    options_.on_progress(attempt_id_, std::move(event));
  }

  const std::string attempt_id_;
  const Options& options_;
  LiveWorkers* const live_workers_;
  const std::unique_ptr<WorkerProcess> process_;
  const Sampling sampling_;
  std::optional<BlockSchedule> alternating_;
  std::unique_ptr<Sampler::Recording> recording_;  // null where nothing is sampled
  RunLog log_;
  EventCollector events_;
  const double load1_before_;
  const SteadyTime forked_ = std::chrono::steady_clock::now();
  std::atomic<SteadyTime> gate_opened_ = forked_;
  SteadyTime last_progress_{};
  double spawn_to_main_s_ = 0;
  std::optional<double> measured_from_s_, measured_until_s_;  // since the gate was opened
  bool events_ended_ = false;
  bool output_ended_ = false;
  std::array<char, kReadBytes> buffer_{};
  std::thread thread_;
};

Supervisor::Supervisor(Options options) : options_(std::move(options)), sampler_(options_.sampling) {
  // What a worker leaves behind becomes a child of this process instead of init's, and can be found.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Supervisor::~Supervisor() {
  workers_.clear();
  for (auto& [id, thread] : stale_killers_) thread.join();
}

StatusOr<ProcessIdentity> Supervisor::Spawn(const std::string& attempt_id, const WorkerCommand& command,
                                            const Sampling& sampling) {
  FLEETMARK_ASSIGN_OR_RETURN(std::unique_ptr<WorkerProcess> process, WorkerProcess::Fork(command));
  FailPoint("agent.forked");
  FLEETMARK_ASSIGN_OR_RETURN(const ProcessIdentity identity, IdentifyProcess(process->pid(), options_.boot_id));
  live_workers_.Add(process->pid());
  workers_[attempt_id] = std::make_unique<Worker>(attempt_id, options_, &live_workers_, &sampler_, sampling,
                                                  std::move(process), LogPath(attempt_id));
  return identity;
}

void Supervisor::OpenGate(const std::string& attempt_id) {
  if (const auto found = workers_.find(attempt_id); found != workers_.end()) found->second->OpenGate();
}

void Supervisor::Signal(const std::string& attempt_id, int signal) {
  if (const auto found = workers_.find(attempt_id); found != workers_.end()) found->second->Signal(signal);
}

void Supervisor::Forget(const std::string& attempt_id) {
  workers_.erase(attempt_id);
  if (const auto found = stale_killers_.find(attempt_id); found != stale_killers_.end()) {
    found->second.join();
    stale_killers_.erase(found);
  }
}

void Supervisor::KillStale(const std::string& attempt_id, const ProcessIdentity& process) {
  stale_killers_[attempt_id] = std::thread([this, attempt_id, process] {
    KillStaleProcesses(attempt_id, process, kKillTimeoutS);
    FailPoint("agent.stale_killed");
    options_.on_event(StaleWorkerGone{attempt_id});
  });
}

std::filesystem::path Supervisor::LogPath(const std::string& attempt_id) const {
  return options_.log_directory / (attempt_id + ".log");
}

}  // namespace fleetmark::agent
