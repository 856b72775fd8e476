#include "coordinator/board_memory.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "coordinator/board_query.h"

namespace fleetmark {
namespace {

// Of ten thousand rows one takes about ten megabytes.
constexpr size_t kMostBoards = 4;
// To look at each of so many results more than a board has rows takes longer than to read the board.
constexpr int64_t kNewResultsPerRow = 2;
constexpr int64_t kAlwaysFewResults = 1000;

bool IsWholeBoard(const BoardQuery& query) {
  return query.newest_job_only && query.agent.empty() && query.device.empty() && query.runtime.empty() &&
         query.profile.empty() && query.verdict.empty() && query.since_unix_s == 0 && query.until_unix_s == 0;
}

void AddTo(std::map<Series, std::vector<BoardValue>>* newest, BoardValue value) {
  std::vector<BoardValue>& values = (*newest)[SeriesOf(value)];
  if (!values.empty() && values.front().job_sequence > value.job_sequence) return;
  if (!values.empty() && values.front().job_sequence < value.job_sequence) values.clear();
  values.push_back(std::move(value));
}

void NameAgents(SqlStatements& statements, std::vector<BoardValue>* values) {
  std::unordered_map<std::string, std::string> names;
  SQLite::Statement& rows = statements.Bind("SELECT agent_id, name FROM agents");
  while (rows.executeStep()) names.emplace(rows.getColumn(0).getString(), rows.getColumn(1).getString());
  rows.reset();
  for (BoardValue& value : *values) {
    if (const auto name = names.find(value.agent_id); name != names.end()) value.agent = name->second;
  }
}

}  // namespace

std::vector<BoardValue> BoardMemory::Read(SqlStatements& statements, const BoardQuery& query) {
  if (!IsWholeBoard(query)) return ReadBoardValues(statements, query);
  const std::shared_ptr<Board> board = Find(query);
  const std::lock_guard lock(board->mutex);
  // Somebody whose view of the store is newer may have been here before.
  const int64_t last = ReadLastResult(statements);
  const int64_t few = kAlwaysFewResults + kNewResultsPerRow * static_cast<int64_t>(board->newest.size());
  const bool is_known = board->last_result >= 0 && last - board->last_result <= few;
  if (!is_known || last > board->last_result) {
    std::vector<BoardValue> read =
        is_known ? ReadNewBoardValues(statements, query, board->last_result) : ReadBoardValues(statements, query);
    if (!is_known) board->newest.clear();
    for (BoardValue& value : read) AddTo(&board->newest, std::move(value));
    board->last_result = last;
  }
  std::vector<BoardValue> values;
  for (const auto& [series, of_series] : board->newest) values.insert(values.end(), of_series.begin(), of_series.end());
  NameAgents(statements, &values);
  return values;
}

std::shared_ptr<BoardMemory::Board> BoardMemory::Find(const BoardQuery& query) {
  const Key key{query.workload, query.workload_version, query.board, query.metric};
  const std::lock_guard lock(mutex_);
  auto found = std::find_if(boards_.begin(), boards_.end(), [&](const auto& board) { return board->key == key; });
  if (found == boards_.end()) {
    if (boards_.size() == kMostBoards) boards_.pop_back();
    found = boards_.insert(boards_.begin(), std::make_shared<Board>());
    (*found)->key = key;
  }
  boards_.splice(boards_.begin(), boards_, found);
  return *found;
}

}  // namespace fleetmark
