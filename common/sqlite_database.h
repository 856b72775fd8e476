#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

struct Migration {
  int version;      // 1, 2, 3, ...
  const char* sql;  // runs in one transaction
};

enum class DatabaseAccess { kReadWrite, kReadOnly };

// Opens `path` the way both the store and the journal need it: WAL, synchronous=FULL, foreign keys, trusted_schema=OFF,
// a busy timeout, and (for writing) migrated to the newest of `migrations`, each in one transaction, after a backup
// beside the file when it held anything. A newer schema is refused by name (FAILED_PRECONDITION, kind "newer_schema"),
// a file that is not a sound database with DATA_LOSS. For one thread at a time.
StatusOr<std::unique_ptr<SQLite::Database>> OpenDatabase(const std::filesystem::path& path, DatabaseAccess access,
                                                         const std::vector<Migration>& migrations);

// "ok", or the first thing that `pragma` ("quick_check" or "integrity_check") finds damaged. Throws what SQLite throws,
// and when a page cannot be read, which says nothing about the file.
std::string CheckDatabase(SQLite::Database& database, const std::string& pragma);

// Runs `body` and turns what SQLiteCpp throws into a Status that names `what`: a full disk, and one that does not do
// what it is asked, are RESOURCE_EXHAUSTED (kind "disk_full"); corruption is DATA_LOSS, a file that may not be opened
// PERMISSION_DENIED, the rest INTERNAL.
Status CatchSqlite(const std::string& what, const std::function<Status()>& body);

}  // namespace fleetmark
