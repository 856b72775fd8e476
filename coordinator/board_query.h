#pragma once

#include <vector>

#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

namespace fleetmark {

// The SQL of StoreReader::BoardValues. Throws as SQLiteCpp does.
std::vector<BoardValue> ReadBoardValues(SqlStatements& statements, const BoardQuery& query);

}  // namespace fleetmark
