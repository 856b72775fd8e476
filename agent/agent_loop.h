#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent_core.h"
#include "agent/ceiling_book.h"
#include "agent/device_locks.h"
#include "agent/journal.h"
#include "agent/sampler/all_sensors.h"
#include "agent/supervisor.h"
#include "agent/watch_hub.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"

namespace fleetmark::agent {

// The shell around AgentCore: one thread that takes all pending events, commits what they change in one transaction and
// only then lets the effects out. The public methods are thread-safe and know nothing of gRPC.
class AgentLoop {
 public:
  struct Options {
    std::string name;
    std::filesystem::path state_directory;
    std::filesystem::path lock_directory;
    bool share = false;
    std::string dataset_directory;
    double min_free_bytes = 0;
    Offer offer;
    std::map<std::string, std::filesystem::path> runners;  // by runtime
    const Clock* clock = &RealClock();
    std::function<std::vector<std::unique_ptr<Sensor>>(const SensorSubject&)> make_sensors = MakeSensors;
    double telemetry_interval_s = Sampler::kUsualIntervalS;
  };
  // Takes the state directory for itself, opens the journal and begins the recovery of what it holds.
  static StatusOr<std::unique_ptr<AgentLoop>> Start(Options options);
  // As Stop.
  ~AgentLoop();

  StatusOr<v1::AttemptStatus> StartRun(const v1::StartRunRequest& request);
  StatusOr<v1::AttemptStatus> CancelRun(const v1::CancelRunRequest& request);
  StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request);
  // A long poll; asks `is_cancelled` about once a second while it waits.
  StatusOr<v1::SyncResponse> Sync(const v1::SyncRequest& request, const std::function<bool()>& is_cancelled);
  StatusOr<Journal::Report> ReadReport(const std::string& attempt_id) { return journal_->ReadReport(attempt_id); }
  std::filesystem::path LogPath(const std::string& attempt_id) const { return supervisor_->LogPath(attempt_id); }
  WatchHub& watch_hub() { return watch_hub_; }

  // agent_id, boot_id, incarnation, process_id, cluster_id and the highest epoch, devices, runtimes and features.
  v1::AgentDescription Describe() const;
  // Of the last accepted Sync; by the clock's boottime_ns, 0 before the first.
  int64_t last_sync_ns() const { return last_sync_ns_; }

  // Takes no more work, ends what runs as interrupted with its report journaled, and answers all who wait. Idempotent.
  void Stop();

 private:
  struct Answer {
    Status status;
    CallResponse response;
  };
  explicit AgentLoop(Options options) : options_(std::move(options)) {}
  Status Open();
  void Run();
  std::vector<Event> WaitForEvents();
  void ProcessAll(std::vector<Event> events);
  void Process(std::vector<Event> events);
  void StepStart(Event* event, Moment now, Outcome* outcome);
  void RefreshCapacity();
  // From time to time: forgets old ids, and finds out whether a journal that failed can be written again.
  void Upkeep();
  void NoteJournalWorks();
  Status Capacity() const;
  void RetryLater(std::vector<Event> events, const Status& status);
  void Perform(const Effect& effect);
  void Spawn(const SpawnWorker& effect);
  void SettleBatch(const std::vector<Event>& events, const std::vector<JournalWrite>& writes);
  void KeepCeilings(const WorkerEnded& ended);
  void DeleteOldLogs();
  void Publish();
  void Post(Event event);
  void Answered(CallId call, Answer answer);
  std::pair<CallId, std::future<Answer>> NewCall();
  template <typename Call, typename Response, typename Request>
  StatusOr<Response> CallAndWait(const Request& request, const std::function<bool()>& is_cancelled = nullptr);

  const Options options_;
  std::string agent_id_;
  std::string boot_id_;
  std::string process_id_;
  std::string incarnation_;
  std::unique_ptr<FileLock> directory_lock_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<DeviceLocks> device_locks_;
  WatchHub watch_hub_;

  // Of the loop's thread.
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<AgentCore> core_;
  std::map<std::string, HeldLocks> locks_;  // of the batch in progress, until its workers have inherited them
  std::unique_ptr<CeilingBook> ceiling_book_;
  std::map<std::string, v1::CeilingConditions> ceiling_conditions_;  // of the attempts whose workers run
  std::vector<Event> retries_;                                       // what could not be committed, in order
  int64_t retry_at_ns_ = 0;
  int64_t retry_delay_ns_ = 0;
  int64_t upkeep_at_ns_ = 0;
  Status commit_status_;
  Status capacity_;
  int retired_since_cleanup_ = 0;
  bool is_stopped_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<Event> queue_;
  std::map<CallId, std::promise<Answer>> calls_;
  CallId next_call_ = 1;
  bool is_closed_ = false;
  FenceRecord fence_;
  std::condition_variable closed_;

  std::atomic<int64_t> last_sync_ns_ = 0;
  std::once_flag stop_once_;
  std::thread thread_;
};

}  // namespace fleetmark::agent
