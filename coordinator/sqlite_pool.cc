#include "coordinator/sqlite_pool.h"

#include "common/sqlite_database.h"

namespace fleetmark {
namespace {
constexpr size_t kMostIdle = 4;
}  // namespace

StatusOr<std::unique_ptr<SqlitePool::Connection>> SqlitePool::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto connection = std::make_unique<Connection>();
  FLEETMARK_ASSIGN_OR_RETURN(connection->database, OpenDatabase(path_, DatabaseAccess::kReadOnly, {}));
  connection->statements = std::make_unique<SqlStatements>(connection->database.get());
  return connection;
}

Status SqlitePool::Read(const std::function<Status(SqlStatements&)>& body) {
  FLEETMARK_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Take());
  const Status status = CatchSqlite("store " + path_.string(), [&] {
    SQLite::Transaction transaction(*connection->database);
    return body(*connection->statements);
  });
  // A connection that failed is not trusted with another call.
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
  return OkStatus();
}

}  // namespace fleetmark
