#include "coordinator/board_memory.h"

#include <algorithm>
#include <utility>

#include "coordinator/board_query.h"

namespace fleetmark {
namespace {

// Together about 64 MB.
constexpr size_t kMostBoards = 4;
constexpr size_t kMostValues = 16'000;  // of a board; a larger one is read each time
// Looking at so many new results, whatever board they are of, costs less than reading a board anew.
constexpr size_t kFewResults = 16;
constexpr size_t kFewResultsPerRow = 2;

BoardQuery WholeBoard(const BoardQuery& query) {
  BoardQuery whole;
  whole.workload = query.workload;
  whole.workload_version = query.workload_version;
  whole.board = query.board;
  whole.metric = query.metric;
  whole.newest_job_only = true;
  return whole;
}

std::vector<BoardValue> AllOf(const NewestJobs<BoardValue>& newest) {
  std::vector<BoardValue> all;
  for (const auto& [series, values] : newest) all.insert(all.end(), values.begin(), values.end());
  return all;
}

void NameAgents(SqlStatements& statements, std::vector<BoardValue>* values) {
  const BoardValue* last = nullptr;  // those of an agent stand together
  for (BoardValue& value : *values) {
    if (last == nullptr || last->agent_id != value.agent_id) {
      SQLite::Statement& row = statements.Bind("SELECT name FROM agents WHERE agent_id = ?", value.agent_id);
      if (row.executeStep()) value.agent = row.getColumn(0).getString();
      row.reset();
    } else {
      value.agent = last->agent;
    }
    last = &value;
  }
}

}  // namespace

std::vector<BoardValue> BoardMemory::Read(SqlStatements& statements, const BoardQuery& query) {
  if (query != WholeBoard(query)) return ReadBoardValues(statements, query);
  std::vector<BoardValue> values = Update(statements, *Find(query));
  NameAgents(statements, &values);
  SortOldestFirst(&values);
  return values;
}

std::vector<BoardValue> BoardMemory::Update(SqlStatements& statements, Board& board) {
  const std::lock_guard lock(board.mutex);
  const int64_t last = ReadLastResult(statements);
  const auto few = static_cast<int64_t>(kFewResults + kFewResultsPerRow * board.newest.size());
  const bool is_known = board.last_result >= 0 && last - board.last_result <= few;
  if (!is_known || last != board.last_result) {
    std::vector<BoardValue> read = is_known ? ReadNewBoardValues(statements, board.query, board.last_result)
                                            : ReadBoardValues(statements, board.query);
    if (!is_known) board.newest.clear();
    for (BoardValue& value : read) AddTo(&board.newest, std::move(value));
    board.last_result = last;
  }
  std::vector<BoardValue> values = AllOf(board.newest);
  if (values.size() > kMostValues) {
    board.newest.clear();
    board.last_result = -1;
  }
  return values;
}

std::shared_ptr<BoardMemory::Board> BoardMemory::Find(const BoardQuery& query) {
  const std::lock_guard lock(mutex_);
  auto found = std::find_if(boards_.begin(), boards_.end(), [&](const auto& board) { return board->query == query; });
  if (found == boards_.end()) {
    if (boards_.size() == kMostBoards) boards_.pop_back();
    found = boards_.insert(boards_.begin(), std::make_shared<Board>());
    (*found)->query = query;
  }
  boards_.splice(boards_.begin(), boards_, found);
  return *found;
}

}  // namespace fleetmark
