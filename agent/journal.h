#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/attempt.h"
#include "common/status.h"

namespace SQLite {
class Database;
}

namespace fleetmark::agent {

// The agent's durable memory: DIRECTORY/journal.db. What Commit returned OK for survives the loss of power.
// Thread-safe; Commit is meant for one thread, ReadReport for any.
class Journal {
 public:
  struct Opened;
  // A journal that is not sound is moved aside to journal.db.corrupt-TIME and a new one with a new incarnation begins;
  // one of a newer schema is refused. `unix_s` dates what is moved aside.
  static StatusOr<Opened> Open(const std::filesystem::path& directory, double unix_s);
  ~Journal();

  // All writes or none.
  Status Commit(const std::vector<JournalWrite>& writes);

  struct Report {
    std::string sha256;
    std::string bytes;
  };
  // NOT_FOUND when no report of this attempt is kept.
  StatusOr<Report> ReadReport(const std::string& attempt_id);

  // A copy of the agent's id, for when its own file is damaged; "" when there is none.
  StatusOr<std::string> AgentId();
  Status KeepAgentId(const std::string& agent_id);

  // Forgets the cluster and its fences, so that the agent may join another one.
  Status ForgetCluster();

  SQLite::Database& database() { return *database_; }

 private:
  explicit Journal(std::unique_ptr<SQLite::Database> database);
  void Apply(const PutAttempt& write);
  void Apply(const PutReport& write);
  void Apply(const RetireAttempt& write);
  void Apply(const ForgetRetired& write);
  void Apply(const PutFence& write);
  void Apply(const PutDraining& write);
  void PutMeta(const std::string& key, const std::string& value);
  JournalContents Load();
  void CheckWhole();

  std::mutex mutex_;
  std::unique_ptr<SQLite::Database> database_;
};

struct Journal::Opened {
  std::unique_ptr<Journal> journal;
  JournalContents contents;
  std::string warning;  // "" unless a corrupt journal was moved aside
};

}  // namespace fleetmark::agent
