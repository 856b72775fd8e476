#include "agent/journal.h"

#include <sqlite3.h>

#include <charconv>
#include <utility>

#include "common/failpoint.h"
#include "common/ids.h"
#include "common/sqlite_database.h"

namespace fleetmark::agent {
namespace {

const std::vector<Migration>& JournalMigrations() {
  static const std::vector<Migration> migrations = {{1, R"sql(
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE attempts (
      attempt_id TEXT PRIMARY KEY,
      state TEXT NOT NULL CHECK (state IN ('ACCEPTED', 'SPAWNED', 'RESULT')),
      request BLOB NOT NULL,          -- fleetmark.v1.StartRunRequest
      is_cancelled INTEGER NOT NULL,  -- by a confirmed CancelRun
      reason TEXT NOT NULL,
      accepted_unix_s REAL NOT NULL,
      started_unix_s REAL NOT NULL,
      pid INTEGER NOT NULL,           -- 0 before SPAWNED; with start_ticks and boot_id it names one process
      start_ticks INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      report_sha256 TEXT NOT NULL,    -- '' before RESULT
      report BLOB NOT NULL            -- fleetmark.v1.AttemptReport
    ) STRICT;
    CREATE TABLE retired (
      attempt_id TEXT PRIMARY KEY,
      is_tombstone INTEGER NOT NULL,
      reason TEXT NOT NULL,
      spec_sha256 TEXT NOT NULL,
      keep_boot_id TEXT NOT NULL,
      keep_until_ns INTEGER NOT NULL
    ) STRICT;
  )sql"}};
  return migrations;
}

void BindBlob(SQLite::Statement& statement, int index, const std::string& bytes) {
  statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

std::string BlobOf(const SQLite::Column& column) {
  return std::string(static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes()));
}

std::string TextOf(double value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

template <typename Number>
Number NumberOf(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  throw SQLite::Exception("\"" + text + "\" in meta is no number", SQLITE_CORRUPT);
}

Attempt AttemptOf(SQLite::Statement& row) {
  Attempt attempt;
  if (const auto bytes = BlobOf(row.getColumn("request")); !attempt.request.ParseFromString(bytes)) {
    throw SQLite::Exception("an attempt's request cannot be read", SQLITE_CORRUPT);
  }
  if (attempt.request.attempt_id() != row.getColumn("attempt_id").getString()) {
    throw SQLite::Exception("an attempt's request is of another attempt", SQLITE_CORRUPT);
  }
  const std::string state = row.getColumn("state").getString();
  attempt.state = state == "RESULT"    ? AttemptState::kResultReady
                  : state == "SPAWNED" ? AttemptState::kRunning
                                       : AttemptState::kAccepted;
  attempt.cause = row.getColumn("is_cancelled").getInt() != 0 ? EndCause::kCancelled : EndCause::kNone;
  attempt.reason = row.getColumn("reason").getString();
  attempt.accepted_unix_s = row.getColumn("accepted_unix_s").getDouble();
  attempt.started_unix_s = row.getColumn("started_unix_s").getDouble();
  if (const int pid = row.getColumn("pid").getInt(); pid != 0) {
    attempt.process =
        ProcessIdentity{pid, row.getColumn("start_ticks").getInt64(), row.getColumn("boot_id").getString()};
  }
  attempt.report_sha256 = row.getColumn("report_sha256").getString();
  attempt.report_bytes = row.getColumn("report_size").getDouble();
  return attempt;
}

// With the write-ahead log, which belongs to the file.
Status MoveAside(const std::filesystem::path& path, const std::string& suffix) {
  for (const char* part : {"", "-wal", "-shm"}) {
    const std::filesystem::path from = path.string() + part;
    std::error_code error;
    if (!std::filesystem::exists(from, error)) continue;
    std::filesystem::rename(from, path.string() + suffix + part, error);
    if (error) return Internal("cannot move " + from.string() + " aside: " + error.message());
  }
  return OkStatus();
}

}  // namespace

Journal::Journal(std::unique_ptr<SQLite::Database> database) : database_(std::move(database)) {}
Journal::~Journal() = default;

StatusOr<Journal::Opened> Journal::Open(const std::filesystem::path& directory, double unix_s) {
  const std::filesystem::path path = directory / "journal.db";
  Opened opened;
  for (const bool is_retry : {false, true}) {
    auto database = OpenDatabase(path, DatabaseAccess::kReadWrite, JournalMigrations());
    Status status = database.status();
    if (database.ok()) {
      opened.journal.reset(new Journal(*std::move(database)));
      status = CatchSqlite(path.string(), [&] {
        opened.contents = opened.journal->Load();
        opened.journal->CheckWhole();
        return OkStatus();
      });
    }
    if (status.ok()) return opened;
    if (status.code() != StatusCode::kDataLoss || is_retry) return status;
    opened.journal.reset();
    const std::string suffix = ".corrupt-" + std::to_string(static_cast<int64_t>(unix_s));
    FLEETMARK_RETURN_IF_ERROR(MoveAside(path, suffix));
    opened.warning = "the journal was not sound (" + status.message() + "); it is kept as " + path.string() + suffix +
                     " and a new one begins: runs that only it knew are lost";
  }
  return opened;
}

JournalContents Journal::Load() {
  JournalContents contents;
  std::map<std::string, std::string> meta;
  for (SQLite::Statement row(*database_, "SELECT key, value FROM meta"); row.executeStep();) {
    meta[row.getColumn(0).getString()] = row.getColumn(1).getString();
  }
  if (meta["incarnation"].empty()) PutMeta("incarnation", meta["incarnation"] = NewId());
  contents.incarnation = meta["incarnation"];
  contents.is_draining = meta["draining"] == "1";
  if (!meta["cluster_id"].empty()) {
    contents.fence = {meta["cluster_id"], NumberOf<int>(meta["coordinator_epoch"]), meta["coordinator_instance_id"],
                      NumberOf<double>(meta["seq"])};
  }
  SQLite::Statement attempts(*database_, "SELECT *, length(report) AS report_size FROM attempts");
  while (attempts.executeStep()) contents.attempts[attempts.getColumn("attempt_id").getString()] = AttemptOf(attempts);
  SQLite::Statement retired(*database_, "SELECT * FROM retired");
  while (retired.executeStep()) {
    RetiredAttempt& entry = contents.retired[retired.getColumn("attempt_id").getString()];
    entry.is_tombstone = retired.getColumn("is_tombstone").getInt() != 0;
    entry.reason = retired.getColumn("reason").getString();
    entry.spec_sha256 = retired.getColumn("spec_sha256").getString();
    entry.keep_until.set_boot_id(retired.getColumn("keep_boot_id").getString());
    entry.keep_until.set_boottime_ns(retired.getColumn("keep_until_ns").getInt64());
  }
  return contents;
}

// What OpenDatabase leaves out, since a store is large: an index may be damaged, which is made anew. So may the text of
// a constraint, which SQLite takes for another constraint.
void Journal::CheckWhole() {
  try {
    std::string verdict = CheckDatabase(*database_, "integrity_check");
    if (verdict != "ok") {
      database_->exec("REINDEX");
      verdict = CheckDatabase(*database_, "integrity_check");
    }
    if (verdict != "ok") throw SQLite::Exception(verdict, SQLITE_CORRUPT);
    SQLite::Transaction rolled_back(*database_);
    for (const std::string state : {"ACCEPTED", "SPAWNED", "RESULT"}) {
      database_->exec("INSERT OR REPLACE INTO attempts VALUES ('', '" + state +
                      "', x'', 0, '', 0, 0, 0, 0, '', '', x'')");
    }
    database_->exec("INSERT OR REPLACE INTO retired VALUES ('', 0, '', '', '', 0)");
    database_->exec("INSERT OR REPLACE INTO meta VALUES ('', '')");
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_ERROR && error.getErrorCode() != SQLITE_CONSTRAINT) throw;
    throw SQLite::Exception(std::string("it takes no run: ") + error.what(), SQLITE_CORRUPT);
  }
}

Status Journal::Commit(const std::vector<JournalWrite>& writes) {
  if (writes.empty()) return OkStatus();
  const std::lock_guard lock(mutex_);
  return CatchSqlite("the journal " + database_->getFilename(), [&] {
    SQLite::Transaction transaction(*database_);
    for (const JournalWrite& write : writes) {
      std::visit([this](const auto& typed) { Apply(typed); }, write);
      FailPoint("journal.in_transaction");
    }
    transaction.commit();
    FailPoint("journal.committed");
    return OkStatus();
  });
}

void Journal::Apply(const PutAttempt& write) {
  const Attempt& attempt = write.attempt;
  const ProcessIdentity process = attempt.process.value_or(ProcessIdentity{});
  SQLite::Statement statement(
      *database_,
      "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', x'') ON CONFLICT (attempt_id) DO UPDATE SET "
      "state = excluded.state, is_cancelled = excluded.is_cancelled, reason = excluded.reason, "
      "started_unix_s = excluded.started_unix_s, pid = excluded.pid, start_ticks = excluded.start_ticks, "
      "boot_id = excluded.boot_id");
  statement.bind(1, attempt.request.attempt_id());
  statement.bind(2, attempt.process ? "SPAWNED" : "ACCEPTED");
  BindBlob(statement, 3, attempt.request.SerializeAsString());
  statement.bind(4, attempt.cause == EndCause::kCancelled ? 1 : 0);
  statement.bind(5, attempt.reason);
  statement.bind(6, attempt.accepted_unix_s);
  statement.bind(7, attempt.started_unix_s);
  statement.bind(8, process.pid);
  statement.bind(9, process.start_ticks);
  statement.bind(10, process.boot_id);
  statement.exec();
}

void Journal::Apply(const PutReport& write) {
  SQLite::Statement statement(
      *database_, "UPDATE attempts SET state = 'RESULT', report_sha256 = ?, report = ? WHERE attempt_id = ?");
  statement.bind(1, write.sha256);
  BindBlob(statement, 2, write.bytes);
  statement.bind(3, write.attempt_id);
  statement.exec();
  FailPoint("journal.report_put");
}

void Journal::Apply(const RetireAttempt& write) {
  SQLite::Statement erase(*database_, "DELETE FROM attempts WHERE attempt_id = ?");
  erase.bind(1, write.attempt_id);
  erase.exec();
  FailPoint("journal.attempt_erased");
  SQLite::Statement statement(*database_, "INSERT OR REPLACE INTO retired VALUES (?, ?, ?, ?, ?, ?)");
  statement.bind(1, write.attempt_id);
  statement.bind(2, write.retired.is_tombstone ? 1 : 0);
  statement.bind(3, write.retired.reason);
  statement.bind(4, write.retired.spec_sha256);
  statement.bind(5, write.retired.keep_until.boot_id());
  statement.bind(6, static_cast<int64_t>(write.retired.keep_until.boottime_ns()));
  statement.exec();
}

void Journal::Apply(const ForgetRetired& write) {
  SQLite::Statement statement(*database_, "DELETE FROM retired WHERE attempt_id = ?");
  statement.bind(1, write.attempt_id);
  statement.exec();
}

void Journal::Apply(const PutFence& write) {
  PutMeta("cluster_id", write.fence.cluster_id);
  PutMeta("coordinator_epoch", std::to_string(write.fence.coordinator_epoch));
  PutMeta("coordinator_instance_id", write.fence.coordinator_instance_id);
  PutMeta("seq", TextOf(write.fence.seq));
}

void Journal::Apply(const PutDraining& write) { PutMeta("draining", write.is_draining ? "1" : "0"); }

void Journal::PutMeta(const std::string& key, const std::string& value) {
  SQLite::Statement statement(*database_, "INSERT OR REPLACE INTO meta VALUES (?, ?)");
  statement.bind(1, key);
  statement.bind(2, value);
  statement.exec();
}

StatusOr<Journal::Report> Journal::ReadReport(const std::string& attempt_id) {
  const std::lock_guard lock(mutex_);
  Report report;
  const Status status = CatchSqlite("the journal " + database_->getFilename(), [&]() -> Status {
    SQLite::Statement row(*database_,
                          "SELECT report_sha256, report FROM attempts WHERE attempt_id = ? AND state = 'RESULT'");
    row.bind(1, attempt_id);
    if (!row.executeStep()) {
      return NotFound("this agent keeps no result of attempt " + attempt_id,
                      "it is running, acknowledged or unknown here");
    }
    report = {row.getColumn(0).getString(), BlobOf(row.getColumn(1))};
    return OkStatus();
  });
  if (!status.ok()) return status;
  return report;
}

StatusOr<std::string> Journal::AgentId() {
  const std::lock_guard lock(mutex_);
  std::string agent_id;
  const Status status = CatchSqlite("the journal " + database_->getFilename(), [&] {
    SQLite::Statement row(*database_, "SELECT value FROM meta WHERE key = 'agent_id'");
    if (row.executeStep()) agent_id = row.getColumn(0).getString();
    return OkStatus();
  });
  if (!status.ok()) return status;
  return agent_id;
}

Status Journal::KeepAgentId(const std::string& agent_id) {
  const std::lock_guard lock(mutex_);
  return CatchSqlite("the journal " + database_->getFilename(), [&] {
    PutMeta("agent_id", agent_id);
    return OkStatus();
  });
}

Status Journal::ForgetCluster() {
  const std::lock_guard lock(mutex_);
  return CatchSqlite("the journal " + database_->getFilename(), [&] {
    SQLite::Transaction transaction(*database_);
    database_->exec("DELETE FROM attempts");
    database_->exec("DELETE FROM retired");
    database_->exec("DELETE FROM meta");
    PutMeta("incarnation", NewId());
    transaction.commit();
    return OkStatus();
  });
}

}  // namespace fleetmark::agent
