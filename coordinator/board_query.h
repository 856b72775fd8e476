#pragma once

#include <string>
#include <vector>

#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

namespace fleetmark {

// The SQL of StoreReader::BoardValues and Boards. They throw as SQLiteCpp does.
std::vector<BoardValue> ReadBoardValues(SqlStatements& statements, const BoardQuery& query);
std::vector<std::string> ReadBoards(SqlStatements& statements, const std::string& workload, int workload_version);

}  // namespace fleetmark
