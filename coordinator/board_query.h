#pragma once

#include <string>
#include <vector>

#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

namespace fleetmark {

// The SQL of StoreReader::BoardValues and Boards. They throw as SQLiteCpp does.
std::vector<BoardValue> ReadBoardValues(SqlStatements& statements, const BoardQuery& query);
// Of those, whatever job they are of, the ones that were stored after the `last_result`-th result, in any order.
std::vector<BoardValue> ReadNewBoardValues(SqlStatements& statements, const BoardQuery& query, int64_t last_result);
// How many results were ever stored.
int64_t ReadLastResult(SqlStatements& statements);
void SortOldestFirst(std::vector<BoardValue>* values);
std::vector<std::string> ReadBoards(SqlStatements& statements, const std::string& workload, int workload_version);

}  // namespace fleetmark
