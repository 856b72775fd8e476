#pragma once

#include <string>
#include <vector>

#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

// The SQL of the questions about runs. Throws as SQLiteCpp does.
namespace fleetmark {

// Conditions with their values, joined by AND.
struct SqlFilter {
  std::string where = "TRUE";
  std::vector<SqlValue> values;

  void Add(const std::string& condition, SqlValue value) {
    where += " AND " + condition;
    values.push_back(std::move(value));
  }
};
SqlFilter MakeFilter(const v1::RunFilter& filter);

// The runs that `filter` names, in `order` ("ordinal" or "ordinal DESC"), at most `limit` (-1: all). The ordinal of the
// last one goes to `*last_ordinal` unless it is nullptr.
std::vector<v1::RunInfo> ReadRuns(SqlStatements& statements, const SqlFilter& filter, const std::string& order,
                                  int limit, ResultDetail detail, int64_t* last_ordinal);

}  // namespace fleetmark
