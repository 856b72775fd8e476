#include "coordinator/sqlite_store.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/failpoint.h"
#include "common/ids.h"
#include "common/sqlite_database.h"
#include "coordinator/sqlite_rows.h"
#include "coordinator_schema.h"

namespace fleetmark {
namespace {

const std::vector<Migration>& Migrations() {
  static const std::vector<Migration> migrations = [] {
    std::vector<Migration> numbered;  // by the number that begins the file's name
    for (const auto& [name, sql] : kSchema) numbered.push_back({std::stoi(std::string(name)), sql});
    return numbered;
  }();
  return migrations;
}

// Writes each run and attempt of a transaction once: where it stands first, so that what refers to it finds it, and as
// it is in the end.
class LastForms {
 public:
  explicit LastForms(const std::vector<Write>& writes) {
    for (const Write& write : writes) {
      if (const Last last = LastOf(write)) *last = &write;
    }
  }
  // What to write in the place of `write`; nullptr when that is written already.
  const Write* Take(const Write& write) {
    const Last last = LastOf(write);
    return last == nullptr ? &write : std::exchange(*last, nullptr);
  }

 private:
  using Last = const Write**;  // the place of the last write of a row; nullptr for what is written as often as it comes
  Last LastOf(const Write& write) {
    if (const auto* run = std::get_if<PutRun>(&write)) return &runs_[run->run.run_id];
    if (const auto* attempt = std::get_if<PutAttempt>(&write)) return &attempts_[attempt->attempt.attempt_id];
    return nullptr;
  }
  std::unordered_map<std::string_view, const Write*> runs_, attempts_;
};

class SqliteStore : public Store {
 public:
  SqliteStore(const std::filesystem::path& path, std::unique_ptr<SQLite::Database> database)
      : what_("store " + path.string()), database_(std::move(database)), statements_(database_.get()) {}

  StatusOr<Epoch> BeginEpoch(double lease_s) override {
    Epoch epoch;
    const Status status = CatchSqlite(what_, [&]() -> Status {
      SQLite::Transaction transaction(*database_);
      if (!Meta("is_backup").empty()) {
        return FailedPrecondition(what_ + " is a backup that was put there as it is",
                                  "move it away, and restore it: fleetmark-coordinator restore FILE --state-dir DIR",
                                  "is_backup");
      }
      epoch.cluster_id = Meta("cluster_id");
      if (epoch.cluster_id.empty()) epoch.cluster_id = NewId();
      epoch.coordinator_epoch = std::atoi(Meta("coordinator_epoch").c_str()) + 1;
      epoch.previous_lease_s = std::atof(Meta("longest_lease_s").c_str());
      epoch.instance_id = NewId();
      SetMeta("cluster_id", epoch.cluster_id);
      SetMeta("coordinator_epoch", std::to_string(epoch.coordinator_epoch));
      // Never shrinks: two quick restarts must not forget the lease of the epoch before them.
      SetMeta("longest_lease_s", std::to_string(std::max(lease_s, epoch.previous_lease_s)));
      statements_.Execute(
          "INSERT INTO epochs (coordinator_epoch, instance_id, restored_from, restored_unix_s) VALUES (?, ?, 0, 0)",
          epoch.coordinator_epoch, epoch.instance_id);
      LoadPast(&epoch);
      transaction.commit();
      return OkStatus();
    });
    if (!status.ok()) return status;
    return epoch;
  }

  StatusOr<StoredState> Load() override {
    StoredState stored;
    const Status status = CatchSqlite(what_, [&] {
      LoadAgents(&stored);
      LoadJobs(&stored);
      SQLite::Statement runs(
          *database_, "SELECT " + kRunColumns + " FROM runs WHERE state IN ('queued', 'running') ORDER BY ordinal");
      while (runs.executeStep()) stored.runs.push_back(ReadRun(runs));
      SQLite::Statement attempts(
          *database_, "SELECT " + kAttemptColumns +
                          " FROM attempts WHERE outcome = '' AND state IN ('dispatched', 'running', 'result_ready') "
                          "AND run_id IN (SELECT run_id FROM runs WHERE state IN ('queued', 'running'))");
      while (attempts.executeStep()) stored.attempts.push_back(ReadAttempt(attempts));
      SQLite::Statement profiles(*database_, "SELECT profile FROM tuned_profiles");
      while (profiles.executeStep()) stored.profiles.emplace_back().ParseFromString(BytesOf(profiles.getColumn(0)));
      return OkStatus();
    });
    if (!status.ok()) return status;
    return stored;
  }

  Status Commit(const std::vector<Write>& writes) override {
    return CatchSqlite(what_, [&] {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      LastForms forms(writes);
      for (const Write& write : writes) {
        const Write* last = forms.Take(write);
        if (last == nullptr) continue;
        ExecuteWrite(statements_, *last);
        FailPoint("store.in_transaction");
      }
      transaction.commit();
      FailPoint("store.committed");
      return OkStatus();
    });
  }

  StatusOr<std::optional<v1::SubmitResponse>> FindSubmission(const std::string& request_id) override {
    std::optional<v1::SubmitResponse> found;
    const Status status = CatchSqlite(what_, [&] {
      SQLite::Statement& runs = statements_.Bind(
          "SELECT jobs.job_id, run_id FROM jobs JOIN runs USING (job_id) WHERE request_id = ? ORDER BY ordinal",
          request_id);
      while (runs.executeStep()) {
        if (!found.has_value()) found.emplace();
        found->set_job_id(runs.getColumn(0).getString());
        found->add_run_ids(runs.getColumn(1).getString());
      }
      runs.reset();
      return OkStatus();
    });
    if (!status.ok()) return status;
    return found;
  }

  StatusOr<std::optional<AttemptRecord>> FindAttempt(const std::string& attempt_id) override {
    std::optional<AttemptRecord> found;
    const Status status = CatchSqlite(what_, [&] {
      SQLite::Statement& row =
          statements_.Bind("SELECT " + kAttemptColumns + " FROM attempts WHERE attempt_id = ?", attempt_id);
      if (row.executeStep()) found = ReadAttempt(row);
      row.reset();
      return OkStatus();
    });
    if (!status.ok()) return status;
    return found;
  }

  int SchemaVersion() const override { return Migrations().back().version; }

 private:
  std::string Meta(const std::string& key) {
    SQLite::Statement& row = statements_.Bind("SELECT value FROM meta WHERE key = ?", key);
    const std::string value = row.executeStep() ? row.getColumn(0).getString() : "";
    row.reset();
    return value;
  }

  void SetMeta(const std::string& key, const std::string& value) {
    statements_.Execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key,
        value);
  }

  void LoadPast(Epoch* epoch) {
    SQLite::Statement rows(*database_,
                           "SELECT coordinator_epoch, instance_id, restored_from, restored_unix_s FROM epochs "
                           "ORDER BY coordinator_epoch");
    while (rows.executeStep()) {
      epoch->past.push_back({rows.getColumn(0).getInt(), rows.getColumn(1).getString(), rows.getColumn(2).getInt()});
      epoch->restored_unix_s = std::max(epoch->restored_unix_s, rows.getColumn(3).getDouble());
    }
  }

  void LoadAgents(StoredState* stored) {
    SQLite::Statement rows(*database_,
                           "SELECT agent_id, address, description, draining, removed, offline_since_unix_s, "
                           "last_seen_unix_s FROM agents JOIN agent_descriptions USING (agent_id)");
    while (rows.executeStep()) {
      AgentRecord agent;
      agent.agent_id = rows.getColumn(0).getString();
      agent.address = rows.getColumn(1).getString();
      agent.description.ParseFromString(BytesOf(rows.getColumn(2)));
      agent.runtimes = ShareRuntimes(std::move(*agent.description.mutable_runtimes()));
      agent.description.clear_runtimes();
      agent.draining = rows.getColumn(3).getInt() != 0;
      agent.removed = rows.getColumn(4).getInt() != 0;
      agent.offline_since_unix_s = rows.getColumn(5).getDouble();
      agent.last_seen_unix_s = rows.getColumn(6).getDouble();
      stored->agents.push_back(std::move(agent));
    }
  }

  void LoadJobs(StoredState* stored) {
    SQLite::Statement rows(*database_,
                           "SELECT job_id, sequence, request, submitted_unix_s FROM jobs WHERE job_id IN "
                           "(SELECT job_id FROM runs WHERE state IN ('queued', 'running'))");
    while (rows.executeStep()) {
      JobRecord job;
      job.job_id = rows.getColumn(0).getString();
      job.sequence = rows.getColumn(1).getInt64();
      job.request.ParseFromString(BytesOf(rows.getColumn(2)));
      job.submitted_unix_s = rows.getColumn(3).getDouble();
      stored->jobs.push_back(std::move(job));
    }
    stored->next_job_sequence = database_->execAndGet("SELECT COALESCE(MAX(sequence), 0) + 1 FROM jobs").getInt64();
  }

  const std::string what_;
  std::unique_ptr<SQLite::Database> database_;
  SqlStatements statements_;
};

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::filesystem::path& path) {
  FLEETMARK_ASSIGN_OR_RETURN(std::unique_ptr<SQLite::Database> database,
                             OpenDatabase(path, DatabaseAccess::kReadWrite, Migrations()));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path, std::move(database)));
}

}  // namespace fleetmark
