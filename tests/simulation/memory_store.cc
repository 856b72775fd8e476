#include "tests/simulation/memory_store.h"

#include <algorithm>
#include <utility>

#include "coordinator/descent.h"

namespace fleetmark::simulation {

bool HasEnded(const AttemptRecord& attempt) {
  return attempt.state == AttemptState::kStored || attempt.state == AttemptState::kRefused || !attempt.outcome.empty();
}

StatusOr<Epoch> MemoryStore::BeginEpoch(double lease_s) {
  if (is_full) return ResourceExhausted("the disk is full", "", "disk_full");
  Epoch epoch;
  epoch.cluster_id = cluster_id_;
  epoch.coordinator_epoch = ++epoch_;
  epoch.previous_lease_s = longest_lease_s_;
  epoch.instance_id = next_instance_id;
  past_.push_back({epoch_, next_instance_id, 0});
  epoch.past = past_;
  epoch.restored_unix_s = restored_unix_s_;
  longest_lease_s_ = std::max(longest_lease_s_, lease_s);
  return epoch;
}

void MemoryStore::MarkRestored(int at_least_epoch, double unix_s) {
  const int from = std::exchange(epoch_, EpochOfRestore(epoch_, at_least_epoch, unix_s));
  past_.push_back({epoch_, "", from});
  restored_unix_s_ = unix_s;
}

StatusOr<StoredState> MemoryStore::Load() {
  StoredState stored;
  for (const auto& [id, agent] : agents_) stored.agents.push_back(agent);
  std::set<std::string> jobs;
  for (const std::string& run_id : active_) {
    stored.runs.push_back(runs_.at(run_id));
    jobs.insert(stored.runs.back().job_id);
    for (const AttemptRecord* attempt : AttemptsOf(run_id)) {
      if (!HasEnded(*attempt)) stored.attempts.push_back(*attempt);
    }
  }
  for (const std::string& job : jobs) stored.jobs.push_back(jobs_.at(job));
  stored.next_job_sequence = static_cast<int64_t>(jobs_.size()) + 1;
  return stored;
}

Status MemoryStore::Commit(const std::vector<Write>& writes) {
  if (is_full) return ResourceExhausted("the disk is full", "", "disk_full");
  for (const Write& write : writes) {
    const auto* put = std::get_if<PutReport>(&write);
    if (put == nullptr) continue;
    const auto stored = reports_.find(put->attempt_id);
    if (stored != reports_.end() && stored->second.sha256 != put->sha256) {
      return Internal("attempt " + put->attempt_id + " has a report with other bytes already");
    }
    if (stored == reports_.end() && put->is_canonical && canonical_.contains(put->run_id)) {
      return Internal("run " + put->run_id + " has a result already");
    }
  }
  for (const Write& write : writes) std::visit([this](const auto& typed) { Apply(typed); }, write);
  return OkStatus();
}

StatusOr<std::optional<v1::SubmitResponse>> MemoryStore::FindSubmission(const std::string& request_id) {
  const auto job = job_of_request_.find(request_id);
  if (job == job_of_request_.end()) return std::optional<v1::SubmitResponse>();
  v1::SubmitResponse response;
  response.set_job_id(job->second);
  for (const std::string& run_id : runs_of_job_.at(job->second)) response.add_run_ids(run_id);
  return std::optional(response);
}

StatusOr<std::optional<AttemptRecord>> MemoryStore::FindAttempt(const std::string& attempt_id) {
  const auto found = attempts_.find(attempt_id);
  if (found == attempts_.end()) return std::optional<AttemptRecord>();
  return std::optional(found->second);
}

std::vector<const AttemptRecord*> MemoryStore::AttemptsOf(const std::string& run_id) const {
  std::vector<const AttemptRecord*> attempts;
  const auto found = attempts_of_run_.find(run_id);
  if (found == attempts_of_run_.end()) return attempts;
  for (const std::string& id : found->second) attempts.push_back(&attempts_.at(id));
  return attempts;
}

void MemoryStore::Apply(const PutJob& put) {
  jobs_[put.job.job_id] = put.job;
  job_of_request_[put.job.request.request_id()] = put.job.job_id;
  runs_of_job_[put.job.job_id];
}

void MemoryStore::Apply(const PutRun& put) {
  const RunRecord& run = put.run;
  if (!runs_.contains(run.run_id)) runs_of_job_[run.job_id].push_back(run.run_id);
  runs_[run.run_id] = run;
  if (IsTerminal(run.state)) {
    active_.erase(run.run_id);
  } else {
    active_.insert(run.run_id);
  }
}

void MemoryStore::Apply(const PutAttempt& put) {
  const AttemptRecord& attempt = put.attempt;
  if (!attempts_.contains(attempt.attempt_id)) attempts_of_run_[attempt.run_id].push_back(attempt.attempt_id);
  attempts_[attempt.attempt_id] = attempt;
}

void MemoryStore::Apply(const PutReport& put) {
  reports_.try_emplace(put.attempt_id, Report{put.run_id, put.sha256, put.is_canonical});
  if (put.is_canonical) canonical_.insert(put.run_id);
}

}  // namespace fleetmark::simulation
