#include "coordinator/board_query.h"

#include "coordinator/run_query.h"

namespace fleetmark {
namespace {

// To stand behind FROM runs.
constexpr char kJoins[] =
    " CROSS JOIN results ON results.run_id = runs.run_id AND results.canonical = 1 "
    "JOIN metrics ON metrics.run_id = runs.run_id JOIN jobs ON jobs.job_id = runs.job_id "
    "JOIN agents ON agents.agent_id = runs.agent_id ";

// The columns of the index runs_by_series: of a board, and of what makes a row of it and a line of a history.
const std::vector<std::string> kBoard = {"workload", "workload_version", "board"};
const std::vector<std::string> kSeries = {"agent_id", "device", "runtime", "profile", "overrides"};

// "runs.agent_id, runs.device, ..."
std::string SeriesOf(const std::string& table) {
  std::string list;
  for (const std::string& column : kSeries) list += (list.empty() ? "" : ", ") + table + "." + column;
  return list;
}

std::string AreOneSeries(const std::string& a, const std::string& b) {
  return " AND (" + SeriesOf(a) + ") = (" + SeriesOf(b) + ")";
}

// The SQL of the ordinal of one run of the series that comes next after that of the run `last`, in the order of
// runs_by_series: the same but for a greater last column, or else the same but for a greater last column but one, ...
// One comparison of whole rows would say so too, and SQLite would look through every run of the agent for it.
std::string NextSeries() {
  std::string choices;
  for (size_t same = kSeries.size(); same-- > 0;) {
    std::string is_next;
    for (const std::string& column : kBoard) is_next += "next." + column + " = last." + column + " AND ";
    for (size_t i = 0; i < same; ++i) is_next += "next." + kSeries[i] + " = last." + kSeries[i] + " AND ";
    is_next += "next." + kSeries[same] + " > last." + kSeries[same];
    choices += (choices.empty() ? "" : ", ") +
               ("(SELECT next.ordinal FROM runs AS next INDEXED BY runs_by_series WHERE next.state = 'succeeded' AND " +
                is_next + " ORDER BY " + SeriesOf("next") + " LIMIT 1)");
  }
  return "COALESCE(" + choices + ")";
}

// The SQL of `newest (agent_id, ..., job_id)`: of each series of a board the newest job that `where` lets through. Goes
// from one series to the next through the index, and in each backwards to the first run that is let through: what it
// costs does not grow with the jobs that there were before those. Workload, version and board are bound first, then
// the values of `where`. A newer job has higher ordinals.
std::string NewestJobs(const std::string& where) {
  const std::string first =
      "SELECT ordinal FROM runs INDEXED BY runs_by_series WHERE workload = ? AND workload_version = ? AND board = ? "
      "AND state = 'succeeded' AND agent_id IS NOT NULL ORDER BY " +
      SeriesOf("runs") + " LIMIT 1";
  const std::string job = "SELECT runs.job_id FROM runs INDEXED BY runs_by_series" + std::string(kJoins) + "WHERE " +
                          where + AreOneSeries("runs", "one") + " ORDER BY runs.ordinal DESC LIMIT 1";
  return "WITH RECURSIVE series (ordinal) AS (SELECT * FROM (" + first + ") UNION ALL SELECT " + NextSeries() +
         " FROM series CROSS JOIN runs AS last USING (ordinal)), newest AS MATERIALIZED (SELECT " + SeriesOf("one") +
         ", (" + job + ") AS job_id FROM series CROSS JOIN runs AS one USING (ordinal)) ";
}

SqlFilter MakeBoardFilter(const BoardQuery& query) {
  SqlFilter sql;
  sql.Add("runs.workload = ?", query.workload);
  sql.Add("runs.workload_version = ?", static_cast<int64_t>(query.workload_version));
  sql.Add("runs.board = ?", query.board);
  sql.Add("metrics.name = ?", query.metric);
  sql.where += " AND runs.state = 'succeeded' AND jobs.unranked = 0";
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
  std::vector<SqlValue> values;
  std::string with, from = "runs", where = filter.where;
  if (query.newest_job_only) {
    with = NewestJobs(filter.where);
    from = "newest CROSS JOIN runs INDEXED BY runs_by_series";
    // From the job's first run on there are no others, for there is no newer job.
    where += AreOneSeries("runs", "newest") +
             " AND runs.ordinal >= (SELECT MIN(ordinal) FROM runs AS mates WHERE mates.job_id = newest.job_id)";
    values = {query.workload, static_cast<int64_t>(query.workload_version), query.board};
    values.insert(values.end(), filter.values.begin(), filter.values.end());
  }
  values.insert(values.end(), filter.values.begin(), filter.values.end());
  SQLite::Statement& rows = statements.BindAll(
      with +
          "SELECT runs.run_id, jobs.sequence, agents.name, runs.agent_id, runs.device, runs.device_kind, "
          "results.device_model, runs.runtime, results.runtime_version, runs.profile, runs.overrides, "
          "runs.finished_unix_s, metrics.unit, metrics.value, metrics.ci_low, metrics.ci_high, metrics.n, "
          "results.verdict, results.verdict_cause, results.verdict_reason FROM " +
          from + kJoins + "WHERE " + where + " ORDER BY runs.finished_unix_s, runs.ordinal",
      values);
  std::vector<BoardValue> found;
  while (rows.executeStep()) found.push_back(ReadValue(rows));
  rows.reset();
  return found;
}

std::vector<std::string> ReadBoards(SqlStatements& statements, const std::string& workload, int workload_version) {
  const std::string of_workload =
      "FROM runs WHERE runs.workload = ?1 AND runs.workload_version = ?2 AND runs.state = 'succeeded'";
  return TextsOf(statements.Bind(
      "WITH RECURSIVE boards (board) AS (SELECT MIN(board) " + of_workload + " UNION ALL SELECT (SELECT MIN(board) " +
          of_workload + " AND board > boards.board) FROM boards WHERE board IS NOT NULL) SELECT board FROM boards " +
          "WHERE EXISTS (SELECT 1 FROM runs JOIN jobs USING (job_id) WHERE runs.workload = ?1 AND "
          "runs.workload_version = ?2 AND runs.board = boards.board AND runs.state = 'succeeded' AND jobs.unranked = "
          "0)",
      workload, workload_version));
}

}  // namespace fleetmark
