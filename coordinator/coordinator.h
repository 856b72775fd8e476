#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/files.h"
#include "coordinator/coordinator_loop.h"
#include "coordinator/references.h"
#include "coordinator/store.h"

namespace fleetmark {

struct CoordinatorSettings {
  std::filesystem::path state_dir;
  double lease_s = 60;
  double offline_after_s = 30;
  double min_free_mb = 200;
};

// Everything a coordinator is, without the server in front of it. The handlers in rpc/ work on it; thread-safe.
class Coordinator {
 public:
  // Locks and opens the state directory, begins the next epoch and calls every known agent. `calls` is how agents are
  // reached. A second coordinator on one directory, a newer store or a directory that cannot be written is refused by
  // name.
  static StatusOr<std::unique_ptr<Coordinator>> Start(const CoordinatorSettings& settings,
                                                      std::vector<Reference> references,
                                                      std::unique_ptr<AgentCalls> calls, const Clock* clock);
  ~Coordinator();

  // Ends every wait inside a handler; after it only reading works. Idempotent.
  void Stop();

  CoordinatorLoop& loop() { return *loop_; }
  StoreReader& reader() { return *reader_; }
  RunWatch& watch() { return watch_; }
  AgentCalls& calls() { return *calls_; }
  // The published numbers, read once.
  const std::vector<Reference>& references() const { return references_; }
  const Clock& clock() const { return *clock_; }
  const Epoch& epoch() const { return epoch_; }
  const std::filesystem::path& store_path() const { return store_path_; }
  double min_free_bytes() const { return min_free_bytes_; }
  // One backup at a time.
  std::mutex& backup_turn() { return backup_turn_; }
  int schema_version() const { return store_->SchemaVersion(); }

  // The run with what only the core knows about it. Retries when the run ends between the two looks.
  StatusOr<v1::RunInfo> FindRun(const std::string& run_id, ResultDetail detail);
  // The same for runs that were read from the store.
  Status Complete(std::vector<v1::RunInfo>* runs, ResultDetail detail);

 private:
  explicit Coordinator(FileLock lock) : lock_(std::move(lock)) {}

  FileLock lock_;
  std::vector<Reference> references_;
  const Clock* clock_ = nullptr;
  Epoch epoch_;
  std::filesystem::path store_path_;
  double min_free_bytes_ = 0;
  std::mutex backup_turn_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  RunWatch watch_;
  std::unique_ptr<CoordinatorLoop> loop_;
  std::unique_ptr<AgentCalls> calls_;  // its last answers still reach loop_
};

}  // namespace fleetmark
