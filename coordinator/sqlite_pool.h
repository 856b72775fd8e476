#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/sql_statements.h"

namespace fleetmark {

// Read-only connections, made when all others are busy and kept for the next call. Thread-safe.
class SqlitePool {
 public:
  explicit SqlitePool(std::filesystem::path path) : path_(std::move(path)) {}

  // `body` sees one consistent state of what was committed.
  Status Read(const std::function<Status(SqlStatements&)>& body);

 private:
  struct Connection {
    std::unique_ptr<SQLite::Database> database;
    std::unique_ptr<SqlStatements> statements;
  };
  StatusOr<std::unique_ptr<Connection>> Take();

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace fleetmark
