#include <algorithm>

#include "common/ids.h"
#include "coordinator/board_memory.h"
#include "coordinator/board_query.h"
#include "coordinator/run_query.h"
#include "coordinator/sqlite_pool.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark {
namespace {

constexpr int kMostCandidates = 4;

// The whole ids in `table` that begin with `prefix`, a few at most.
std::vector<std::string> Beginning(SqlStatements& statements, const std::string& table, const std::string& column,
                                   const std::string& prefix) {
  // Ids are ASCII, so this ends what begins with `prefix`, and the index answers it.
  const std::string end = prefix + '\x7f';
  return TextsOf(statements.Bind("SELECT " + column + " FROM " + table + " WHERE " + column + " >= ? AND " + column +
                                     " < ? ORDER BY " + column + " LIMIT " + std::to_string(kMostCandidates),
                                 prefix, end));
}

std::vector<std::string> RunsOfJob(SqlStatements& statements, const std::string& job_id) {
  return TextsOf(statements.Bind("SELECT run_id FROM runs WHERE job_id = ? ORDER BY ordinal", job_id));
}

Status Ambiguous(const std::string& prefix, const std::vector<std::string>& candidates) {
  std::string list;
  for (const std::string& id : candidates) list += (list.empty() ? "" : ", ") + id.substr(0, prefix.size() + 6);
  return InvalidArgument("id " + prefix + " is ambiguous", "it may be " + list + "; give more of it");
}

Status NoSuchId(const std::string& what, const std::string& prefix) {
  return NotFound("there is no " + what + " with id " + prefix, "fleetmark jobs and fleetmark runs list them");
}

v1::JobInfo ReadJob(SQLite::Statement& row) {
  v1::JobInfo job;
  v1::SubmitRequest request;
  request.ParseFromString(BytesOf(row.getColumn(1)));
  job.set_job_id(row.getColumn(0).getString());
  job.set_workload(request.workload());
  *job.mutable_parameters() = request.parameters();
  *job.mutable_on() = request.on();
  job.set_device(request.device());
  job.set_runtime(request.runtime());
  job.set_profile(request.profile());
  job.set_priority(request.priority());
  job.set_repeat(request.repeat());
  job.set_note(request.note());
  job.set_submitted_unix_s(row.getColumn(2).getDouble());
  return job;
}

std::string StateOfJob(const google::protobuf::Map<std::string, int32_t>& counts) {
  const auto has = [&](const char* state) { return counts.contains(state); };
  if (has("running")) return "running";
  if (has("queued")) return counts.size() == 1 ? "queued" : "running";
  if (has("failed") || has("timed_out") || has("interrupted")) return "failed";
  return has("cancelled") ? "cancelled" : "succeeded";
}

class SqliteReader : public StoreReader {
 public:
  explicit SqliteReader(const std::filesystem::path& path) : pool_(path) {}

  StatusOr<std::vector<v1::RunInfo>> ListRuns(const v1::RunFilter& filter, int limit, ResultDetail detail) override {
    return Read<std::vector<v1::RunInfo>>([&](SqlStatements& statements, auto* runs) {
      *runs = ReadRuns(statements, MakeFilter(filter), "ordinal DESC", limit > 0 ? limit : -1, detail, nullptr);
      return OkStatus();
    });
  }

  Status VisitRuns(const v1::RunFilter& filter, int page,
                   const std::function<bool(const v1::RunInfo&)>& visit) override {
    FLEETMARK_ASSIGN_OR_RETURN(int64_t last, OrdinalBefore(filter));
    for (;;) {
      SqlFilter sql = MakeFilter(filter);
      sql.Add("ordinal > ?", last);
      FLEETMARK_ASSIGN_OR_RETURN(const auto runs,
                                 Read<std::vector<v1::RunInfo>>([&](SqlStatements& statements, auto* found) {
                                   *found = ReadRuns(statements, sql, "ordinal", page, ResultDetail::kComplete, &last);
                                   return OkStatus();
                                 }));
      for (const v1::RunInfo& run : runs) {
        if (!visit(run)) return OkStatus();
      }
      if (static_cast<int>(runs.size()) < page) return OkStatus();
    }
  }

  // The ordinal behind which the newest `filter.limit()` runs begin; 0 where it sets no limit.
  StatusOr<int64_t> OrdinalBefore(const v1::RunFilter& filter) {
    if (filter.limit() <= 0) return int64_t{0};
    return Read<int64_t>([&](SqlStatements& statements, int64_t* ordinal) {
      const SqlFilter sql = MakeFilter(filter);
      SQLite::Statement& row =
          statements.BindAll("SELECT ordinal FROM runs WHERE " + sql.where + " ORDER BY ordinal DESC LIMIT 1 OFFSET " +
                                 std::to_string(filter.limit() - 1),
                             sql.values);
      *ordinal = row.executeStep() ? row.getColumn(0).getInt64() - 1 : 0;
      row.reset();
      return OkStatus();
    });
  }

  StatusOr<v1::RunInfo> GetRun(const std::string& run_id, ResultDetail detail) override {
    return Read<v1::RunInfo>([&](SqlStatements& statements, v1::RunInfo* run) {
      SqlFilter sql;
      sql.Add("run_id = ?", run_id);
      std::vector<v1::RunInfo> runs = ReadRuns(statements, sql, "ordinal", 1, detail, nullptr);
      if (runs.empty()) return NoSuchId("run", run_id);
      run->Swap(&runs.front());
      return OkStatus();
    });
  }

  StatusOr<std::vector<v1::JobInfo>> ListJobs(int limit, bool active_only) override {
    return Read<std::vector<v1::JobInfo>>([&](SqlStatements& statements, auto* jobs) {
      const std::string where =
          active_only ? "WHERE job_id IN (SELECT job_id FROM runs WHERE state IN ('queued', 'running'))" : "";
      SQLite::Statement& rows = statements.Bind(
          "SELECT job_id, request, submitted_unix_s FROM jobs " + where + " ORDER BY sequence DESC LIMIT ?",
          limit > 0 ? limit : -1);
      while (rows.executeStep()) jobs->push_back(ReadJob(rows));
      rows.reset();
      for (v1::JobInfo& job : *jobs) {
        SQLite::Statement& counts =
            statements.Bind("SELECT state, COUNT(*) FROM runs WHERE job_id = ? GROUP BY state", job.job_id());
        while (counts.executeStep()) {
          (*job.mutable_runs_by_state())[counts.getColumn(0).getString()] = counts.getColumn(1).getInt();
        }
        counts.reset();
        job.set_state(StateOfJob(job.runs_by_state()));
      }
      return OkStatus();
    });
  }

  StatusOr<std::vector<std::string>> ResolveRuns(const std::string& prefix) override {
    if (prefix.empty()) return InvalidArgument("an id is empty", "fleetmark jobs and fleetmark runs list the ids");
    return Read<std::vector<std::string>>([&](SqlStatements& statements, auto* ids) {
      const std::vector<std::string> runs = Beginning(statements, "runs", "run_id", prefix);
      const std::vector<std::string> jobs = Beginning(statements, "jobs", "job_id", prefix);
      if (runs.size() + jobs.size() == 0) return NoSuchId("job or run", prefix);
      if (runs.size() + jobs.size() > 1) {
        std::vector<std::string> both = runs;
        both.insert(both.end(), jobs.begin(), jobs.end());
        return Ambiguous(prefix, both);
      }
      *ids = jobs.empty() ? runs : RunsOfJob(statements, jobs.front());
      return OkStatus();
    });
  }

  StatusOr<std::string> ResolveRun(const std::string& prefix) override {
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<std::string> ids, ResolveRuns(prefix));
    if (ids.size() == 1) return ids.front();
    return InvalidArgument(prefix + " is a job of " + std::to_string(ids.size()) + " runs",
                           "name one of them; fleetmark runs --job " + prefix + " lists them");
  }

  StatusOr<std::string> ResolveJob(const std::string& prefix) override {
    return Read<std::string>([&](SqlStatements& statements, std::string* id) {
      const std::vector<std::string> jobs = Beginning(statements, "jobs", "job_id", prefix);
      if (jobs.empty()) return NoSuchId("job", prefix);
      if (jobs.size() > 1) return Ambiguous(prefix, jobs);
      *id = jobs.front();
      return OkStatus();
    });
  }

  StatusOr<std::vector<WorkloadRecord>> ListWorkloads() override {
    return Read<std::vector<WorkloadRecord>>([&](SqlStatements& statements, auto* workloads) {
      SQLite::Statement& rows = statements.Bind("SELECT runtime, spec FROM workloads ORDER BY name, version, runtime");
      while (rows.executeStep()) {
        WorkloadRecord& record = workloads->emplace_back();
        record.runtime = rows.getColumn(0).getString();
        record.spec.ParseFromString(BytesOf(rows.getColumn(1)));
      }
      rows.reset();
      return OkStatus();
    });
  }

  StatusOr<std::vector<BoardValue>> BoardValues(const BoardQuery& query) override {
    return Read<std::vector<BoardValue>>([&](SqlStatements& statements, auto* values) {
      *values = boards_.Read(statements, query);
      return OkStatus();
    });
  }

  StatusOr<std::vector<std::string>> Boards(const std::string& workload, int workload_version) override {
    return Read<std::vector<std::string>>([&](SqlStatements& statements, auto* boards) {
      *boards = ReadBoards(statements, workload, workload_version);
      return OkStatus();
    });
  }

  StatusOr<std::optional<StoredLog>> GetLog(const std::string& run_id) override {
    return Read<std::optional<StoredLog>>([&](SqlStatements& statements, auto* log) {
      SQLite::Statement& row = statements.Bind(
          "SELECT attempt_id, bytes FROM logs JOIN attempts USING (attempt_id) WHERE run_id = ? "
          "ORDER BY number DESC LIMIT 1",
          run_id);
      if (row.executeStep()) *log = StoredLog{row.getColumn(0).getString(), BytesOf(row.getColumn(1))};
      row.reset();
      return OkStatus();
    });
  }

 private:
  template <typename T>
  StatusOr<T> Read(const std::function<Status(SqlStatements&, T*)>& body) {
    T value{};
    const Status status = pool_.Read([&](SqlStatements& statements) { return body(statements, &value); });
    if (!status.ok()) return status;
    return value;
  }

  SqlitePool pool_;
  BoardMemory boards_;
};

}  // namespace

std::unique_ptr<StoreReader> MakeSqliteReader(const std::filesystem::path& path) {
  return std::make_unique<SqliteReader>(path);
}

}  // namespace fleetmark
