#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "coordinator/newest_jobs.h"
#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

namespace fleetmark {

// Answers ReadBoardValues, and keeps the newest jobs of whole boards that were asked for lately, so that the next look
// at such a board reads what was stored since, and not its every row. A result never changes and is never deleted; an
// agent's name may change, and is read each time. Thread-safe.
class BoardMemory {
 public:
  // To be called at the beginning of a transaction: what it sees is then no older than what the last caller saw. Throws
  // as SQLiteCpp does.
  std::vector<BoardValue> Read(SqlStatements& statements, const BoardQuery& query);

 private:
  struct Board {
    BoardQuery query;
    std::mutex mutex;
    int64_t last_result = -1;  // up to which it is known; -1 for not at all
    NewestJobs<BoardValue> newest;
  };

  std::shared_ptr<Board> Find(const BoardQuery& query);
  static std::vector<BoardValue> Update(SqlStatements& statements, Board& board);

  std::mutex mutex_;
  std::list<std::shared_ptr<Board>> boards_;  // the one last asked for first
};

}  // namespace fleetmark
