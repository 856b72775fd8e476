#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "common/status.h"
#include "coordinator/records.h"

namespace fleetmark {

// Insert or replace by id.
struct PutAgent {
  AgentRecord agent;
};
struct PutWorkload {
  WorkloadRecord workload;
};
struct PutJob {
  JobRecord job;
  std::map<std::string, std::string> parameters;  // those that were set and the defaults of the others
};
struct PutRun {
  RunRecord run;
};
struct PutAttempt {
  AttemptRecord attempt;
};
// The report of an attempt, with its log. Once an attempt has one it never changes: the same bytes again are fine,
// others fail the commit. `is_canonical` makes it the result of its run; a second canonical one fails the commit.
struct PutReport {
  std::string attempt_id;
  std::string run_id;
  std::string sha256;
  std::string bytes;  // the serialized AttemptReport, exactly as it came
  std::shared_ptr<const v1::AttemptReport> report;
  bool is_canonical = false;
  std::string log;
  double received_unix_s = 0;
};
// A report that is nobody's result, kept so that nothing is lost: other bytes for an attempt that has its report
// already ("conflict"), or one for an attempt that is not known ("unknown_attempt"). The same one twice is kept once.
struct KeepReport {
  std::string attempt_id;
  std::string sha256;
  std::string bytes;
  std::string why;
  double received_unix_s = 0;
};
// Insert or replace by its key.
struct PutProfile {
  v1::TunedProfile profile;
};
// Nothing happens when there is none.
struct DropProfile {
  ProfileKey key;
};
using Write =
    std::variant<PutAgent, PutWorkload, PutJob, PutRun, PutAttempt, PutReport, KeepReport, PutProfile, DropProfile>;

// A start of a coordinator on this store; or, with `restored_from`, that the store was restored from a backup made in
// that epoch: no other coordinator of an epoch below `coordinator_epoch` counts any more.
struct PastEpoch {
  int coordinator_epoch = 0;
  std::string instance_id;
  int restored_from = 0;
};

// What one start of the coordinator is told about its place in the cluster's history.
struct Epoch {
  std::string cluster_id;  // made with the store
  int coordinator_epoch = 0;
  double previous_lease_s = 0;  // the longest lease that an earlier epoch may have granted; 0 for none
  std::string instance_id;      // new at each start
  std::vector<PastEpoch> past;  // as far as the store knows, this one included, in order; see coordinator/descent.h
  double restored_unix_s = 0;   // when the store was last restored from a backup; 0 for never
};

// One number of one finished run, for boards and histories.
struct BoardValue {
  std::string run_id;
  int64_t job_sequence = 0;
  std::string agent;  // its name
  std::string agent_id;
  std::string device;
  std::string device_kind;
  std::string device_model;
  std::string runtime;
  std::string runtime_version;
  std::string profile;
  std::string overrides;
  double finished_unix_s = 0;
  std::string unit;
  double value = 0;
  std::optional<double> ci_low;
  std::optional<double> ci_high;
  std::optional<int> n;
  std::string verdict;
  std::string verdict_cause;
  std::string verdict_reason;  // the first sentence of its evidence
};
// A row of a board, and a line of a history: agent, device, runtime, profile, overrides.
using Series = std::tuple<std::string, std::string, std::string, std::string, std::string>;
inline Series SeriesOf(const BoardValue& value) {
  return {value.agent_id, value.device, value.runtime, value.profile, value.overrides};
}
struct BoardQuery {
  std::string workload;
  int workload_version = 0;
  std::string board;
  std::string metric;
  // Empty and 0 do not filter.
  std::string agent;
  std::string device;  // name or kind
  std::string runtime;
  std::string profile;
  std::string verdict;
  double since_unix_s = 0;
  double until_unix_s = 0;
  // Only the newest job of each series.
  bool newest_job_only = false;

  bool operator==(const BoardQuery&) const = default;
};

enum class ResultDetail {
  kNone,     // no result
  kBrief,    // without samples and telemetry
  kComplete  // everything
};

// A stored log, or nothing when the run has none yet.
struct StoredLog {
  std::string attempt_id;
  std::string bytes;
};

// The questions people ask. Thread-safe: every call reads one consistent state of what was committed.
class StoreReader {
 public:
  virtual ~StoreReader() = default;
  // Newest first, at most `limit` (0 for all that there are).
  virtual StatusOr<std::vector<v1::RunInfo>> ListRuns(const v1::RunFilter& filter, int limit, ResultDetail detail) = 0;
  // Those that ListRuns gives for the filter's limit, but oldest first, in pages of `page` runs; `visit` returns false
  // to stop. Memory holds one page.
  virtual Status VisitRuns(const v1::RunFilter& filter, int page,
                           const std::function<bool(const v1::RunInfo&)>& visit) = 0;
  // NOT_FOUND for an unknown id. The ids are whole.
  virtual StatusOr<v1::RunInfo> GetRun(const std::string& run_id, ResultDetail detail) = 0;
  virtual StatusOr<std::vector<v1::JobInfo>> ListJobs(int limit, bool active_only) = 0;
  // The runs that `prefix`, the beginning of the id of a job or of a run, stands for, in order. NOT_FOUND when nothing
  // begins so, INVALID_ARGUMENT with the candidates when several do.
  virtual StatusOr<std::vector<std::string>> ResolveRuns(const std::string& prefix) = 0;
  // The same for one run; the id of a job is good when it has a single run.
  virtual StatusOr<std::string> ResolveRun(const std::string& prefix) = 0;
  virtual StatusOr<std::string> ResolveJob(const std::string& prefix) = 0;
  virtual StatusOr<std::vector<WorkloadRecord>> ListWorkloads() = 0;
  // Oldest first.
  virtual StatusOr<std::vector<BoardValue>> BoardValues(const BoardQuery& query) = 0;
  // The boards of a workload that have results, sorted.
  virtual StatusOr<std::vector<std::string>> Boards(const std::string& workload, int workload_version) = 0;
  // Of the newest attempt that has one.
  virtual StatusOr<std::optional<StoredLog>> GetLog(const std::string& run_id) = 0;
};

// The one place that remembers. Thread-compatible: the coordinator's loop alone calls it.
// Every implementation passes tests/unit/coordinator/store_conformance.h.
class Store {
 public:
  virtual ~Store() = default;
  // Begins the next epoch, durably.
  virtual StatusOr<Epoch> BeginEpoch(double lease_s) = 0;
  virtual StatusOr<StoredState> Load() = 0;
  // All of it or nothing, durable when it returns. Of a run or attempt that stands there several times the last
  // form counts, and may be written in the place of the first: what it refers to comes before that. RESOURCE_EXHAUSTED
  // with kind "disk_full" when the disk is.
  virtual Status Commit(const std::vector<Write>& writes) = 0;
  // The answer that a Submit with this request id was given.
  virtual StatusOr<std::optional<v1::SubmitResponse>> FindSubmission(const std::string& request_id) = 0;
  virtual StatusOr<std::optional<AttemptRecord>> FindAttempt(const std::string& attempt_id) = 0;
  virtual int SchemaVersion() const = 0;
};

}  // namespace fleetmark
