#include "coordinator/board_query.h"

#include "coordinator/run_query.h"

namespace fleetmark {
namespace {

constexpr char kFrom[] =
    " FROM runs JOIN results ON results.run_id = runs.run_id AND results.canonical = 1 "
    "JOIN metrics ON metrics.run_id = runs.run_id JOIN jobs ON jobs.job_id = runs.job_id "
    "JOIN agents ON agents.agent_id = runs.agent_id WHERE ";

SqlFilter MakeBoardFilter(const BoardQuery& query) {
  SqlFilter sql;
  sql.Add("runs.workload = ?", query.workload);
  sql.Add("runs.workload_version = ?", static_cast<int64_t>(query.workload_version));
  sql.Add("runs.board = ?", query.board);
  sql.Add("metrics.name = ?", query.metric);
  sql.where += " AND jobs.unranked = 0";
  if (!query.agent.empty()) sql.Add("agents.name = ?", query.agent);
  if (!query.device.empty()) {
    sql.Add("(runs.device = ?", query.device);
    sql.where += " OR runs.device_kind = ?)";
    sql.values.push_back(query.device);
  }
  if (!query.runtime.empty()) sql.Add("runs.runtime = ?", query.runtime);
  if (!query.profile.empty()) sql.Add("runs.profile = ?", query.profile);
  if (!query.verdict.empty()) sql.Add("results.verdict = ?", query.verdict);
  if (query.since_unix_s > 0) sql.Add("runs.finished_unix_s >= ?", query.since_unix_s);
  if (query.until_unix_s > 0) sql.Add("runs.finished_unix_s < ?", query.until_unix_s);
  return sql;
}

BoardValue ReadValue(SQLite::Statement& row) {
  BoardValue value;
  int column = 0;
  const auto text = [&] { return row.getColumn(column++).getString(); };
  value.run_id = text();
  value.job_sequence = row.getColumn(column++).getInt64();
  value.agent = text();
  value.agent_id = text();
  value.device = text();
  value.device_kind = text();
  value.device_model = text();
  value.runtime = text();
  value.runtime_version = text();
  value.profile = text();
  value.overrides = text();
  value.finished_unix_s = row.getColumn(column++).getDouble();
  value.unit = text();
  value.value = row.getColumn(column++).getDouble();
  const auto optional = [&] {
    const SQLite::Column cell = row.getColumn(column++);
    return cell.isNull() ? std::nullopt : std::optional<double>(cell.getDouble());
  };
  value.ci_low = optional();
  value.ci_high = optional();
  if (const std::optional<double> n = optional()) value.n = static_cast<int>(*n);
  value.verdict = text();
  value.verdict_cause = text();
  value.verdict_reason = text();
  return value;
}

}  // namespace

std::vector<BoardValue> ReadBoardValues(SqlStatements& statements, const BoardQuery& query) {
  const SqlFilter filter = MakeBoardFilter(query);
  std::string where = filter.where;
  std::vector<SqlValue> values = filter.values;
  if (query.newest_job_only) {
    const std::string series = "runs.agent_id, runs.device, runs.runtime, runs.profile, runs.overrides";
    where += " AND (" + series + ", jobs.sequence) IN (SELECT " + series + ", MAX(jobs.sequence)" + kFrom +
             filter.where + " GROUP BY " + series + ")";
    values.insert(values.end(), filter.values.begin(), filter.values.end());
  }
  SQLite::Statement& rows = statements.Bind(
      "SELECT runs.run_id, jobs.sequence, agents.name, runs.agent_id, runs.device, runs.device_kind, "
      "results.device_model, runs.runtime, results.runtime_version, runs.profile, runs.overrides, "
      "runs.finished_unix_s, metrics.unit, metrics.value, metrics.ci_low, metrics.ci_high, metrics.n, "
      "results.verdict, results.verdict_cause, results.verdict_reason" +
      std::string(kFrom) + where + " ORDER BY runs.finished_unix_s, runs.ordinal");
  int index = 0;
  for (const SqlValue& value : values) SqlStatements::BindOne(rows, ++index, value);
  std::vector<BoardValue> found;
  while (rows.executeStep()) found.push_back(ReadValue(rows));
  rows.reset();
  return found;
}

}  // namespace fleetmark
