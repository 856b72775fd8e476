#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/store.h"
#include "tests/simulation/digest.h"

namespace fleetmark::simulation {

// The coordinator's store without SQLite: what Commit took is there for ever. Copyable, as a backup is. What a disk may
// do to a commit in the middle is the business of tests/unit/coordinator/power_cut_test.cc.
class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::string cluster_id) : cluster_id_(std::move(cluster_id)) {}

  StatusOr<Epoch> BeginEpoch(double lease_s) override;
  StatusOr<StoredState> Load() override;
  Status Commit(const std::vector<Write>& writes) override;
  StatusOr<std::optional<v1::SubmitResponse>> FindSubmission(const std::string& request_id) override;
  StatusOr<std::optional<AttemptRecord>> FindAttempt(const std::string& attempt_id) override;
  int SchemaVersion() const override { return 1; }

  struct Report {
    std::string run_id;
    std::string sha256;
    bool is_canonical = false;
  };
  const std::map<std::string, RunRecord>& runs() const { return runs_; }
  const std::map<std::string, AttemptRecord>& attempts() const { return attempts_; }
  const std::map<std::string, Report>& reports() const { return reports_; }  // by attempt
  const std::set<std::pair<std::string, std::string>>& kept() const { return kept_; }
  std::vector<const AttemptRecord*> AttemptsOf(const std::string& run_id) const;
  bool HasCanonical(const std::string& run_id) const { return canonical_.contains(run_id); }
  // What the next steps with these agents, by id, depend on.
  void Describe(const std::map<std::string, Digest::Reference>& agents, Digest* digest) const;
  bool HasJob(const std::string& job_id) const { return jobs_.contains(job_id); }

  // As `fleetmark-coordinator restore` does to a backup.
  void MarkRestored(int at_least_epoch, double unix_s);

  // Of whoever begins the next epoch.
  std::string next_instance_id;
  // While it is full nothing can be committed.
  bool is_full = false;

 private:
  void Apply(const PutAgent& put) { agents_[put.agent.agent_id] = put.agent; }
  void Apply(const PutWorkload&) {}
  void Apply(const PutJob& put);
  void Apply(const PutRun& put);
  void Apply(const PutAttempt& put);
  void Apply(const PutReport& put);
  void Apply(const KeepReport& keep) { kept_.emplace(keep.attempt_id, keep.sha256); }
  void Apply(const PutProfile&) {}
  void Apply(const DropProfile&) {}

  const std::string cluster_id_;
  int epoch_ = 0;
  double longest_lease_s_ = 0;
  std::vector<PastEpoch> past_;
  double restored_unix_s_ = 0;
  std::map<std::string, AgentRecord> agents_;
  std::map<std::string, JobRecord> jobs_;
  std::map<std::string, std::string> job_of_request_;
  std::map<std::string, std::vector<std::string>> runs_of_job_;
  std::map<std::string, RunRecord> runs_;
  std::set<std::string> active_;  // runs
  std::map<std::string, AttemptRecord> attempts_;
  std::map<std::string, std::vector<std::string>> attempts_of_run_;
  std::map<std::string, Report> reports_;
  std::set<std::string> canonical_;  // runs that have a result
  std::set<std::pair<std::string, std::string>> kept_;
};

// Whether nothing more is expected of it.
bool HasEnded(const AttemptRecord& attempt);

}  // namespace fleetmark::simulation
