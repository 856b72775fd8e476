#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/agent_events.h"
#include "agent/process_table.h"
#include "agent/sampler/sampler.h"
#include "agent/worker_process.h"
#include "common/status.h"

namespace fleetmark::agent {

// Runs the workers. Each is read by a thread of its own, so that nothing a worker does (floods, hangs, prints rubbish)
// holds up anybody else. All methods are for one thread, which must live as long as the workers may.
class Supervisor {
 public:
  struct Options {
    std::string boot_id;
    std::filesystem::path log_directory;
    // Called from the workers' threads. `on_event` gets one WorkerEnded a worker, `on_progress` at most ten progress
    // events a second, and every phase and training epoch.
    std::function<void(Event)> on_event;
    std::function<void(const std::string& attempt_id, v1::RunEvent)> on_progress;
    Sampler::Options sampling;
  };
  // What is sampled beside a worker, as StartRunRequest.telemetry has it, and of which device.
  struct Sampling {
    std::string mode;
    std::string device;
    std::string device_uuid;
  };
  explicit Supervisor(Options options);
  // Kills what still runs.
  ~Supervisor();

  // Forks the worker and leaves it behind its gate.
  StatusOr<ProcessIdentity> Spawn(const std::string& attempt_id, const WorkerCommand& command,
                                  const Sampling& sampling);
  void OpenGate(const std::string& attempt_id);
  void Signal(const std::string& attempt_id, int signal);
  // After its WorkerEnded: ends its thread.
  void Forget(const std::string& attempt_id);

  // Kills, on a thread of its own, what an earlier agent process left of this attempt; then sends StaleWorkerGone.
  void KillStale(const std::string& attempt_id, const ProcessIdentity& process);

  std::filesystem::path LogPath(const std::string& attempt_id) const;

 private:
  class Worker;
  const Options options_;
  LiveWorkers live_workers_;
  Sampler sampler_;
  std::map<std::string, std::unique_ptr<Worker>> workers_;
  std::map<std::string, std::thread> stale_killers_;
};

}  // namespace fleetmark::agent
