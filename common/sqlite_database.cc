#include "common/sqlite_database.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <string_view>

namespace fleetmark {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

int SchemaVersion(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

// "attempts.pid INTEGER", of every table.
std::set<std::string> ColumnsOf(SQLite::Database& database) {
  std::set<std::string> columns;
  SQLite::Statement rows(
      database,
      "SELECT tables.name || '.' || columns.name || ' ' || columns.type FROM sqlite_schema AS tables "
      "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'");
  while (rows.executeStep()) columns.insert(rows.getColumn(0).getString());
  return columns;
}

// A sound file may still be of somebody else, or have lost a table. What it has beyond ours is its owner's.
Status CheckSchema(const std::filesystem::path& path, SQLite::Database& database,
                   const std::vector<Migration>& migrations) {
  SQLite::Database wanted(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (const Migration& migration : migrations) wanted.exec(migration.sql);
  const std::set<std::string> there = ColumnsOf(database);
  for (const std::string& column : ColumnsOf(wanted)) {
    if (there.contains(column)) continue;
    return DataLoss(path.string() + " is corrupt: it has no " + column, "restore it from a backup");
  }
  return OkStatus();
}

Status Migrate(const std::filesystem::path& path, SQLite::Database& database,
               const std::vector<Migration>& migrations) {
  const int current = SchemaVersion(database);
  const int newest = migrations.empty() ? 0 : migrations.back().version;
  if (current > newest) {
    return FailedPrecondition(path.string() + " has schema version " + std::to_string(current) +
                                  ", and this program knows " + std::to_string(newest) + " at most",
                              "use the newer Fleetmark that wrote it, or another --state-dir", "newer_schema");
  }
  if (current < 0 || (current == 0 && !ColumnsOf(database).empty())) {
    return DataLoss(path.string() + " is corrupt: it has tables, and schema version " + std::to_string(current),
                    "restore it from a backup");
  }
  if (current > 0 && current < newest) {
    database.backup((path.string() + ".before-schema-" + std::to_string(newest)).c_str(), SQLite::Database::Save);
  }
  for (const Migration& migration : migrations) {
    if (migration.version <= current) continue;
    SQLite::Transaction transaction(database);
    database.exec(migration.sql);
    database.exec("PRAGMA user_version = " + std::to_string(migration.version));
    transaction.commit();
  }
  return OkStatus();
}

bool IsMemoryShort() {
  constexpr size_t kMoreThanASchemaTakes = size_t{64} << 20;
  return std::unique_ptr<char[]>(new (std::nothrow) char[kMoreThanASchemaTakes]) == nullptr;
}

bool MayBeWritten(const std::filesystem::path& path) {
  return access(path.c_str(), W_OK) == 0 && access(path.parent_path().c_str(), W_OK) == 0;
}

// Whether SQLite means the file by this error, which says something else: of a format or a schema that it does not
// understand it tells with its most general one, of some schemas that memory is short, of a newer format that the file
// is read-only.
bool IsDamage(int error_code, const std::filesystem::path& path) {
  return error_code == SQLITE_ERROR || (error_code == SQLITE_NOMEM && !IsMemoryShort()) ||
         (error_code == SQLITE_READONLY && MayBeWritten(path));
}

// "ok", or what is wrong with the file.
std::string BeginWriting(SQLite::Database& database) {
  try {
    database.exec("PRAGMA journal_mode=WAL");
    database.exec("PRAGMA synchronous=FULL");
    return CheckDatabase(database, "quick_check");
  } catch (const SQLite::Exception& error) {
    if (!IsDamage(error.getErrorCode(), database.getFilename())) throw;
    return error.what();
  }
}

Status Prepare(const std::filesystem::path& path, SQLite::Database& database, bool is_writer,
               const std::vector<Migration>& migrations) {
  database.setBusyTimeout(kBusyTimeoutMs);
  database.exec("PRAGMA trusted_schema=OFF");
  database.exec("PRAGMA foreign_keys=ON");
  if (is_writer) {
    const std::string verdict = BeginWriting(database);
    if (verdict != "ok") return DataLoss(path.string() + " is corrupt: " + verdict, "restore it from a backup");
    FLEETMARK_RETURN_IF_ERROR(Migrate(path, database, migrations));
    // The journals that let a statement be undone: in a file, every page that it changes is written for them alone.
    // Migrations keep theirs in files, for they sort whole tables.
    database.exec("PRAGMA temp_store=MEMORY");
    FLEETMARK_RETURN_IF_ERROR(CheckSchema(path, database, migrations));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<SQLite::Database>> OpenDatabase(const std::filesystem::path& path, DatabaseAccess access,
                                                         const std::vector<Migration>& migrations) {
  const bool is_writer = access == DatabaseAccess::kReadWrite;
  std::unique_ptr<SQLite::Database> database;
  const Status status = CatchSqlite(path.string(), [&] {
    const int flags =
        SQLite::OPEN_NOMUTEX | (is_writer ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY);
    database = std::make_unique<SQLite::Database>(path.string(), flags);
    return Prepare(path, *database, is_writer, migrations);
  });
  if (!status.ok()) return status;
  return database;
}

std::string CheckDatabase(SQLite::Database& database, const std::string& pragma) {
  const std::string verdict = database.execAndGet("PRAGMA " + pragma + "(1)").getString();
  // A page that could not be read is reported as if it were wrong.
  constexpr std::string_view kCode = "unable to get the page. error code=";
  int code = SQLITE_CORRUPT;
  if (const size_t at = verdict.find(kCode); at != std::string::npos) code = std::atoi(&verdict[at + kCode.size()]);
  if (verdict.find("failed to get page") != std::string::npos) code = SQLITE_IOERR;
  code &= 0xff;  // what is beyond says more than anybody asks
  if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB) throw SQLite::Exception(verdict, code);
  return verdict;
}

Status CatchSqlite(const std::string& what, const std::function<Status()>& body) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    const std::string message = what + ": " + error.what();
    switch (error.getErrorCode()) {
      case SQLITE_FULL:
        return ResourceExhausted(message, "free some space on this file system", "disk_full");
      case SQLITE_IOERR:  // which a full disk is too, where SQLite shares memory
        return ResourceExhausted(message,
                                 "free some space on this file system, or see what the kernel says of its disk (dmesg)",
                                 "disk_full");
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return DataLoss(message, "restore it from a backup");
      case SQLITE_CANTOPEN:
      case SQLITE_READONLY:
      case SQLITE_PERM:
        return Status(StatusCode::kPermissionDenied, message, "check who owns it and whether it is writable");
      default:
        return Internal(message);
    }
  }
}

}  // namespace fleetmark
