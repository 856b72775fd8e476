#include "coordinator/board_query.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "coordinator/run_query.h"

namespace fleetmark {
namespace {

// To stand behind FROM runs.
constexpr char kJoins[] =
    " CROSS JOIN results INDEXED BY results_of_boards ON results.run_id = runs.run_id AND results.canonical = 1 "
    "JOIN metrics ON metrics.run_id = runs.run_id JOIN jobs ON jobs.job_id = runs.job_id "
    "JOIN agents ON agents.agent_id = runs.agent_id ";

// What ReadValue reads, and the run's ordinal.
constexpr char kColumns[] =
    "SELECT runs.run_id, jobs.sequence, agents.name, runs.agent_id, runs.device, runs.device_kind, "
    "results.device_model, runs.runtime, results.runtime_version, runs.profile, runs.overrides, "
    "runs.finished_unix_s, metrics.unit, metrics.value, metrics.ci_low, metrics.ci_high, metrics.n, "
    "results.verdict, results.verdict_cause, results.verdict_reason, runs.ordinal FROM ";
constexpr int kOrdinalColumn = 20;

// The columns of the index runs_by_series: of a board, and of what makes a row of it and a line of a history.
const std::vector<std::string> kBoard = {"workload", "workload_version", "board"};
const std::vector<std::string> kSeries = {"agent_id", "device", "runtime", "profile", "overrides"};

// "runs.agent_id, runs.device, ..."
std::string SeriesColumns(const std::string& table) {
  std::string list;
  for (const std::string& column : kSeries) list += (list.empty() ? "" : ", ") + table + "." + column;
  return list;
}

std::string AreOneSeries(const std::string& a, const std::string& b) {
  return " AND (" + SeriesColumns(a) + ") = (" + SeriesColumns(b) + ")";
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
                is_next + " ORDER BY " + SeriesColumns("next") + " LIMIT 1)");
  }
  return "COALESCE(" + choices + ")";
}

// The ordinal of the job's first run.
int64_t FirstRunOf(SqlStatements& statements, int64_t job_sequence) {
  SQLite::Statement& row = statements.Bind(
      "SELECT MIN(ordinal) FROM runs WHERE job_id = (SELECT job_id FROM jobs WHERE sequence = ?)", job_sequence);
  (void)row.executeStep();
  const int64_t ordinal = row.getColumn(0).getInt64();
  row.reset();
  return ordinal;
}

// A run of each series of a board, found by going from one series to the next through the index.
std::vector<int64_t> OneOfEachSeries(SqlStatements& statements, const BoardQuery& query) {
  const std::string first =
      "SELECT ordinal FROM runs INDEXED BY runs_by_series WHERE workload = ? AND workload_version = ? AND board = ? "
      "AND state = 'succeeded' AND agent_id IS NOT NULL ORDER BY " +
      SeriesColumns("runs") + " LIMIT 1";
  SQLite::Statement& rows =
      statements.Bind("WITH RECURSIVE series (ordinal) AS (SELECT * FROM (" + first + ") UNION ALL SELECT " +
                          NextSeries() + " FROM series CROSS JOIN runs AS last USING (ordinal)) SELECT ordinal FROM " +
                          "series WHERE ordinal IS NOT NULL",
                      query.workload, query.workload_version, query.board);
  std::vector<int64_t> ordinals;
  while (rows.executeStep()) ordinals.push_back(rows.getColumn(0).getInt64());
  rows.reset();
  return ordinals;
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

// Of each series the newest job that `filter` lets through: its last run first, and then what the series has from the
// job's first run on, for a newer job has higher ordinals. What a board costs does not grow with the jobs before those.
std::vector<BoardValue> ReadNewestJobs(SqlStatements& statements, const BoardQuery& query, const SqlFilter& filter) {
  const std::string sql = std::string(kColumns) + "runs AS one CROSS JOIN runs INDEXED BY runs_by_series" + kJoins +
                          "WHERE " + filter.where + AreOneSeries("runs", "one") +
                          " AND one.ordinal = ? AND runs.ordinal BETWEEN ? AND ? ORDER BY runs.ordinal DESC LIMIT ?";
  const auto bind = [&](int64_t one, int64_t from, int64_t to, int64_t limit) -> SQLite::Statement& {
    std::vector<SqlValue> values = filter.values;
    values.insert(values.end(), {one, from, to, limit});
    return statements.BindAll(sql, values);
  };
  std::vector<BoardValue> found;
  int64_t job_sequence = -1, job_begins = 0;  // most series have the same newest job
  for (const int64_t one : OneOfEachSeries(statements, query)) {
    SQLite::Statement& newest = bind(one, 0, std::numeric_limits<int64_t>::max(), 1);
    if (!newest.executeStep()) {
      newest.reset();
      continue;
    }
    const size_t begin = found.size();
    found.push_back(ReadValue(newest));
    const int64_t last = newest.getColumn(kOrdinalColumn).getInt64();
    newest.reset();
    if (std::exchange(job_sequence, found.back().job_sequence) != found.back().job_sequence) {
      job_begins = FirstRunOf(statements, job_sequence);
    }
    SQLite::Statement& others = bind(one, job_begins, last - 1, -1);
    while (others.executeStep()) found.push_back(ReadValue(others));
    others.reset();
    std::reverse(found.begin() + static_cast<std::ptrdiff_t>(begin), found.end());
  }
  SortOldestFirst(&found);
  return found;
}

}  // namespace

std::vector<BoardValue> ReadBoardValues(SqlStatements& statements, const BoardQuery& query) {
  const SqlFilter filter = MakeBoardFilter(query);
  if (query.newest_job_only) return ReadNewestJobs(statements, query, filter);
  SQLite::Statement& rows = statements.BindAll(std::string(kColumns) + "runs" + kJoins + "WHERE " + filter.where +
                                                   " ORDER BY runs.finished_unix_s, runs.ordinal",
                                               filter.values);
  std::vector<BoardValue> found;
  while (rows.executeStep()) found.push_back(ReadValue(rows));
  rows.reset();
  return found;
}

// `fresh` is the range of new rows, of which only what stands before the report is read; the rest of each comes from
// the index that kJoins names.
std::vector<BoardValue> ReadNewBoardValues(SqlStatements& statements, const BoardQuery& query, int64_t last_result) {
  SqlFilter filter = MakeBoardFilter(query);
  filter.Add("fresh.rowid > ?", last_result);
  SQLite::Statement& rows =
      statements.BindAll(std::string(kColumns) + "results AS fresh CROSS JOIN runs ON runs.run_id = fresh.run_id" +
                             kJoins + "WHERE results.rowid = fresh.rowid AND " + filter.where,
                         filter.values);
  std::vector<BoardValue> found;
  while (rows.executeStep()) found.push_back(ReadValue(rows));
  rows.reset();
  return found;
}

// Rows of results are never deleted, so each gets the number behind the last.
int64_t ReadLastResult(SqlStatements& statements) {
  SQLite::Statement& row = statements.Bind("SELECT MAX(rowid) FROM results");
  (void)row.executeStep();
  const int64_t last = row.getColumn(0).getInt64();
  row.reset();
  return last;
}

void SortOldestFirst(std::vector<BoardValue>* values) {
  std::stable_sort(values->begin(), values->end(),
                   [](const BoardValue& a, const BoardValue& b) { return a.finished_unix_s < b.finished_unix_s; });
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
