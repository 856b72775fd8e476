#include "coordinator/coordinator.h"

#include "common/failpoint.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark {

StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(const CoordinatorSettings& settings,
                                                          std::vector<Reference> references,
                                                          std::unique_ptr<AgentCalls> calls, const Clock* clock) {
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(settings.state_dir, true));
  StatusOr<FileLock> lock = FileLock::Acquire(settings.state_dir / "coordinator.lock");
  if (!lock.ok()) {
    return Status(lock.status().code(), lock.status().message(),
                  "another coordinator uses this state directory: stop it, or choose another --state-dir", "locked");
  }
  std::unique_ptr<Coordinator> coordinator(new Coordinator(std::move(lock).value()));
  const std::filesystem::path path = settings.state_dir / "coordinator.db";
  coordinator->store_path_ = path;
  coordinator->min_free_bytes_ = settings.min_free_mb * 1e6;
  std::error_code ignored;
  for (const char* part : {".backup", ".backup-journal"}) std::filesystem::remove(path.string() + part, ignored);
  FLEETMARK_ASSIGN_OR_RETURN(coordinator->store_, OpenSqliteStore(path));
  FLEETMARK_ASSIGN_OR_RETURN(coordinator->epoch_, coordinator->store_->BeginEpoch(settings.lease_s));
  FailPoint("store.epoch_begun");
  coordinator->references_ = std::move(references);
  coordinator->clock_ = clock;
  coordinator->reader_ = MakeSqliteReader(path);
  coordinator->calls_ = std::move(calls);
  CoordinatorLoop::Options options;
  options.core.epoch = coordinator->epoch_;
  options.core.instance_id = coordinator->epoch_.instance_id;
  options.core.lease_s = settings.lease_s;
  options.core.offline_after_s = settings.offline_after_s;
  options.state_dir = settings.state_dir;
  options.min_free_bytes = settings.min_free_mb * 1e6;
  coordinator->loop_ = std::make_unique<CoordinatorLoop>(options, coordinator->store_.get(), coordinator->calls_.get(),
                                                         &coordinator->watch_, clock);
  FLEETMARK_RETURN_IF_ERROR(coordinator->loop_->Start());
  return coordinator;
}

Coordinator::~Coordinator() { Stop(); }

void Coordinator::Stop() {
  watch_.Stop();
  if (loop_ != nullptr) loop_->Stop();
}

Status Coordinator::Complete(std::vector<v1::RunInfo>* runs, ResultDetail detail) {
  std::vector<v1::RunInfo*> active;
  for (v1::RunInfo& run : *runs) {
    if (run.state() == "queued" || run.state() == "running") active.push_back(&run);
  }
  if (active.empty()) return OkStatus();
  std::vector<v1::RunInfo*> ended;
  loop_->View([&](const CoordinatorCore& core, Moment now) {
    for (v1::RunInfo* run : active) {
      if (!core.Describe(run, now)) ended.push_back(run);
    }
  });
  for (v1::RunInfo* run : ended) {
    FLEETMARK_ASSIGN_OR_RETURN(*run, reader_->GetRun(run->run_id(), detail));
  }
  return OkStatus();
}

StatusOr<v1::RunInfo> Coordinator::FindRun(const std::string& run_id, ResultDetail detail) {
  std::vector<v1::RunInfo> runs(1);
  FLEETMARK_ASSIGN_OR_RETURN(runs.front(), reader_->GetRun(run_id, detail));
  FLEETMARK_RETURN_IF_ERROR(Complete(&runs, detail));
  return std::move(runs.front());
}

}  // namespace fleetmark
