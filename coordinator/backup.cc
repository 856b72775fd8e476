#include "coordinator/backup.h"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>

#include <cstdlib>

#include "common/files.h"
#include "common/sqlite_database.h"
#include "coordinator/descent.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark {
namespace {

constexpr int kPagesAtOnce = 256;  // 1 MiB; between two lots it asks whether to go on
constexpr char kNoBackupHint[] = "name a file that fleetmark backup made";

void RemoveDatabase(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const char* part : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path.string() + part, ignored);
}

Status CopyPages(SQLite::Database& from, SQLite::Database& to, const std::function<bool()>& is_cancelled) {
  SQLite::Backup copying(to, from);
  for (;;) {
    if (is_cancelled()) return Status(StatusCode::kCancelled, "the backup was cancelled");
    const int result = copying.executeStep(kPagesAtOnce);
    if (result == SQLITE_DONE) return OkStatus();
    if (result != SQLITE_OK) return Unavailable("the store is being written all the time", "try again", "busy");
  }
}

Status CheckSound(SQLite::Database& database, const char* check) {
  const std::string verdict = database.execAndGet(check).getString();
  return verdict == "ok" ? OkStatus() : DataLoss("it is corrupt: " + verdict);
}

Status CopyFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(from, error)) {
    return NotFound("there is no backup " + from.string(), kNoBackupHint);
  }
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, error);
  if (!error) std::filesystem::permissions(to, std::filesystem::perms(0600), error);
  if (!error) return OkStatus();
  const std::string message = "cannot copy " + from.string() + " to " + to.string() + ": " + error.message();
  if (error == std::errc::no_space_on_device) {
    return ResourceExhausted(message, "free some space on this file system", "disk_full");
  }
  return Status(StatusCode::kPermissionDenied, message);
}

std::string Meta(SQLite::Database& database, const std::string& key) {
  SQLite::Statement row(database, "SELECT value FROM meta WHERE key = ?");
  row.bind(1, key);
  return row.executeStep() ? row.getColumn(0).getString() : "";
}

Status CheckIsStore(const std::filesystem::path& path) {
  return CatchSqlite(path.string(), [&]() -> Status {
    SQLite::Database database(path.string(), SQLite::OPEN_READWRITE);
    if (database.tableExists("meta") && !Meta(database, "cluster_id").empty()) return OkStatus();
    return InvalidArgument("it is a database, and not a coordinator's store", kNoBackupHint);
  });
}

// In one transaction: from here on it is a store that has lost what came after the backup.
StatusOr<Restored> MarkRestored(const std::filesystem::path& path, double unix_s, int at_least_epoch) {
  Restored restored;
  const Status status = CatchSqlite(path.string(), [&]() -> Status {
    SQLite::Database database(path.string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA synchronous=FULL");
    FLEETMARK_RETURN_IF_ERROR(CheckSound(database, "PRAGMA integrity_check(1)"));
    const int epoch_of_backup = std::atoi(Meta(database, "coordinator_epoch").c_str());
    restored.coordinator_epoch = EpochOfRestore(epoch_of_backup, at_least_epoch, unix_s);
    restored.runs = database.execAndGet("SELECT COUNT(*) FROM runs").getInt();
    SQLite::Transaction transaction(database);
    SQLite::Statement epoch(database, "INSERT INTO epochs VALUES (?, '', ?, ?)");
    epoch.bind(1, restored.coordinator_epoch);
    epoch.bind(2, epoch_of_backup);
    epoch.bind(3, unix_s);
    epoch.exec();
    SQLite::Statement meta(database, "UPDATE meta SET value = ? WHERE key = 'coordinator_epoch'");
    meta.bind(1, std::to_string(restored.coordinator_epoch));
    meta.exec();
    database.exec("DELETE FROM meta WHERE key = 'is_backup'");
    transaction.commit();
    return OkStatus();
  });
  if (!status.ok()) return status;
  return restored;
}

// Its schema is brought up to date, as at any start. The copy that this makes of an older one is the backup itself.
Status BringUpToDate(const std::filesystem::path& path) {
  const Status status = OpenSqliteStore(path).status();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), ignored)) {
    if (entry.path().string().starts_with(path.string() + ".before-schema-")) RemoveDatabase(entry.path());
  }
  return status;
}

}  // namespace

Status BackUpStore(const std::filesystem::path& store, const std::filesystem::path& copy,
                   const std::function<bool()>& is_cancelled) {
  // One that writes and checkpoints is enough: this connection only reads, as those of the queries do.
  FLEETMARK_ASSIGN_OR_RETURN(const auto source, OpenDatabase(store, DatabaseAccess::kReadOnly, {}));
  const Status status = CatchSqlite("the backup " + copy.string(), [&]() -> Status {
    SQLite::Database target(copy.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    target.exec("PRAGMA synchronous=OFF");  // whoever takes it away syncs what counts
    {
      // As long as this transaction reads, what others commit meanwhile does not make the copy begin anew.
      SQLite::Transaction moment(*source);
      source->execAndGet("SELECT COUNT(*) FROM meta");
      FLEETMARK_RETURN_IF_ERROR(CopyPages(*source, target, is_cancelled));
    }
    target.exec("PRAGMA journal_mode=DELETE");  // so that it is one file
    FLEETMARK_RETURN_IF_ERROR(CheckSound(target, "PRAGMA quick_check(1)"));
    target.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('is_backup', '1')");
    return OkStatus();
  });
  if (!status.ok()) RemoveDatabase(copy);
  return status;
}

StatusOr<Restored> RestoreStore(const std::filesystem::path& backup, const std::filesystem::path& state_directory,
                                double unix_s, int at_least_epoch) {
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(state_directory, true));
  FLEETMARK_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(state_directory / "coordinator.lock"));
  const std::filesystem::path store = state_directory / "coordinator.db";
  for (const char* part : {"", "-wal"}) {
    if (!std::filesystem::exists(store.string() + part)) continue;
    return AlreadyExists("there is a store in " + state_directory.string() + " already",
                         "nothing is overwritten: name another --state-dir, or move that one away", "store_exists");
  }
  const std::filesystem::path draft = store.string() + ".restoring";
  RemoveDatabase(draft);  // of a restore that was killed
  FLEETMARK_RETURN_IF_ERROR(CopyFile(backup, draft));
  // Of a store that was copied by other means, or of one whose coordinator was killed.
  if (std::filesystem::exists(backup.string() + "-wal")) {
    FLEETMARK_RETURN_IF_ERROR(CopyFile(backup.string() + "-wal", draft.string() + "-wal"));
  }
  Status status = CheckIsStore(draft);
  if (status.ok()) status = BringUpToDate(draft);
  StatusOr<Restored> restored = Restored();
  if (status.ok()) {
    restored = MarkRestored(draft, unix_s, at_least_epoch);
    status = restored.status();
  }
  std::error_code error;
  if (status.ok()) std::filesystem::rename(draft, store, error);
  if (error) status = Internal("cannot name the store " + store.string() + ": " + error.message());
  if (status.ok()) status = SyncDirectory(state_directory);
  if (status.ok()) return restored;
  RemoveDatabase(draft);
  return Status(status.code(), "cannot restore " + backup.string() + ": " + status.message(), status.hint(),
                status.kind());
}

}  // namespace fleetmark
