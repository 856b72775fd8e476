#include "coordinator/run_query.h"

#include "coordinator/sqlite_rows.h"

namespace fleetmark {
namespace {

// The worker's words in an attempt's failure, else why the coordinator ended it.
void FillAttempt(const AttemptRecord& record, const std::string& agent, int conflicts, v1::AttemptInfo* info) {
  info->set_attempt_id(record.attempt_id);
  info->set_number(record.number);
  info->set_agent(agent);
  info->set_state(std::string(AttemptStateName(record.state)));
  info->set_outcome(record.outcome);
  if (!record.failure.kind().empty()) *info->mutable_failure() = record.failure;
  info->set_dispatched_unix_s(record.dispatched_unix_s);
  info->set_started_unix_s(record.started_unix_s);
  if (record.finished_unix_s > 0) {
    info->set_finished_unix_s(record.finished_unix_s);
    if (record.exit_code != 0 || record.outcome == "succeeded") info->set_exit_code(record.exit_code);
  }
  info->set_signal(record.signal);
  info->set_stderr_tail(record.stderr_tail);
  info->set_report_sha256(record.report_sha256);
  info->set_conflicts(conflicts);
}

void ReadAttempts(SqlStatements& statements, v1::RunInfo* run) {
  SQLite::Statement& rows =
      statements.Bind("SELECT " + kAttemptColumns +
                          ", (SELECT name FROM agents WHERE agents.agent_id = attempts.agent_id), "
                          "(SELECT COUNT(*) FROM kept_reports WHERE kept_reports.attempt_id = attempts.attempt_id) "
                          "FROM attempts WHERE run_id = ? ORDER BY number",
                      run->run_id());
  while (rows.executeStep()) {
    const AttemptRecord record = ReadAttempt(rows);
    const int columns = rows.getColumnCount();
    FillAttempt(record, rows.getColumn(columns - 2).getString(), rows.getColumn(columns - 1).getInt(),
                run->add_attempts());
  }
  rows.reset();
}

void ReadResult(SqlStatements& statements, ResultDetail detail, v1::RunInfo* run) {
  if (detail == ResultDetail::kNone) return;
  SQLite::Statement& row =
      statements.Bind("SELECT report FROM results WHERE run_id = ? AND canonical = 1", run->run_id());
  if (row.executeStep()) {
    v1::AttemptReport report;
    report.ParseFromString(BytesOf(row.getColumn(0)));
    if (detail == ResultDetail::kBrief) {
      report.mutable_result()->clear_samples();
      report.mutable_result()->clear_telemetry();
    }
    run->mutable_result()->Swap(report.mutable_result());
  }
  row.reset();
}

v1::RunInfo ReadInfo(SQLite::Statement& row) {
  const RunRecord record = ReadRun(row);
  int column = 18;  // behind kRunColumns
  v1::RunInfo info;
  info.set_agent(row.getColumn(column++).getString());
  info.set_submitted_unix_s(row.getColumn(column++).getDouble());
  v1::SubmitRequest request;
  request.ParseFromString(BytesOf(row.getColumn(column++)));
  info.set_run_id(record.run_id);
  info.set_job_id(record.job_id);
  info.set_repetition(record.repetition);
  info.set_workload(record.spec.workload());
  info.set_workload_version(record.spec.workload_version());
  info.set_runtime(record.spec.runtime());
  info.set_profile(record.spec.profile());
  info.set_device(record.spec.device());
  *info.mutable_parameters() = record.spec.parameters();
  info.set_state(std::string(RunStateName(record.state)));
  info.set_priority(request.priority());
  info.set_note(request.note());
  info.set_unranked(request.unranked());
  info.set_telemetry(request.telemetry());
  info.set_started_unix_s(record.started_unix_s);
  if (record.finished_unix_s > 0) info.set_finished_unix_s(record.finished_unix_s);
  if (IsTerminal(record.state) && !record.failure.kind().empty()) {
    *info.mutable_failure() = record.failure;
    info.set_reason(record.failure.message());
  }
  return info;
}

}  // namespace

SqlFilter MakeFilter(const v1::RunFilter& filter) {
  SqlFilter sql;
  if (!filter.workload().empty()) sql.Add("runs.workload = ?", filter.workload());
  if (!filter.agent().empty()) sql.Add("runs.agent_id IN (SELECT agent_id FROM agents WHERE name = ?)", filter.agent());
  if (!filter.device().empty()) {
    sql.Add("(runs.device = ?", filter.device());
    sql.where += " OR runs.device_kind = ?)";
    sql.values.push_back(filter.device());
  }
  if (!filter.runtime().empty()) sql.Add("runs.runtime = ?", filter.runtime());
  if (!filter.profile().empty()) sql.Add("runs.profile = ?", filter.profile());
  if (!filter.state().empty()) sql.Add("runs.state = ?", filter.state());
  if (!filter.verdict().empty()) {
    sql.Add("runs.run_id IN (SELECT run_id FROM results WHERE canonical = 1 AND verdict = ?)", filter.verdict());
  }
  if (filter.since_unix_s() > 0) sql.Add("runs.submitted_unix_s >= ?", filter.since_unix_s());
  if (filter.until_unix_s() > 0) sql.Add("runs.submitted_unix_s < ?", filter.until_unix_s());
  if (!filter.job_id().empty()) sql.Add("runs.job_id = ?", filter.job_id());
  for (const auto& [name, value] : filter.parameters()) {
    sql.Add("runs.job_id IN (SELECT job_id FROM job_parameters WHERE name = ?", name);
    sql.where += " AND value = ?)";
    sql.values.push_back(value);
  }
  return sql;
}

std::vector<v1::RunInfo> ReadRuns(SqlStatements& statements, const SqlFilter& filter, const std::string& order,
                                  int limit, ResultDetail detail, int64_t* last_ordinal) {
  SQLite::Statement& rows =
      statements.BindAll("SELECT " + kRunColumns +
                             ", (SELECT name FROM agents WHERE agents.agent_id = runs.agent_id), submitted_unix_s, "
                             "(SELECT request FROM jobs WHERE jobs.job_id = runs.job_id), ordinal FROM runs WHERE " +
                             filter.where + " ORDER BY " + order + " LIMIT " + std::to_string(limit),
                         filter.values);
  std::vector<v1::RunInfo> runs;
  while (rows.executeStep()) {
    runs.push_back(ReadInfo(rows));
    if (last_ordinal != nullptr) *last_ordinal = rows.getColumn(rows.getColumnCount() - 1).getInt64();
  }
  rows.reset();
  for (v1::RunInfo& run : runs) {
    ReadAttempts(statements, &run);
    ReadResult(statements, detail, &run);
  }
  return runs;
}

}  // namespace fleetmark
