#pragma once

#include <filesystem>
#include <memory>

#include "coordinator/store.h"

namespace fleetmark {

// The store in one SQLite file: one connection that writes, group commit by whoever calls Commit with many writes.
// `path` is made when it is not there. Errors name the file (common/sqlite_database.h).
StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::filesystem::path& path);

// Read-only connections to the same file, one for each call that is under way, kept for the next one. The store must
// have been opened before.
std::unique_ptr<StoreReader> MakeSqliteReader(const std::filesystem::path& path);

}  // namespace fleetmark
