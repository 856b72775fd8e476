#include "coordinator/sqlite_rows.h"

#include <cmath>

#include "common/run_spec.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

std::optional<std::string> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

Blob BlobOf(const google::protobuf::Message& message) { return {message.SerializeAsString()}; }

void Execute(SqlStatements& statements, const PutAgent& write) {
  const AgentRecord& agent = write.agent;
  statements.Execute(
      "INSERT INTO agents (agent_id, name, address, draining, removed, offline_since_unix_s, last_seen_unix_s) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, "
      "address = excluded.address, draining = excluded.draining, removed = excluded.removed, "
      "offline_since_unix_s = excluded.offline_since_unix_s, last_seen_unix_s = excluded.last_seen_unix_s",
      agent.agent_id, agent.description.name(), agent.address, agent.draining, agent.removed,
      agent.offline_since_unix_s, agent.last_seen_unix_s);
  v1::AgentDescription whole = agent.description;
  *whole.mutable_runtimes() = *agent.runtimes;
  statements.Execute(
      "INSERT INTO agent_descriptions (agent_id, description) VALUES (?, ?) "
      "ON CONFLICT (agent_id) DO UPDATE SET description = excluded.description",
      agent.agent_id, BlobOf(whole));
}

void Execute(SqlStatements& statements, const PutWorkload& write) {
  const v1::WorkloadSpec& spec = write.workload.spec;
  statements.Execute(
      "INSERT INTO workloads (name, version, runtime, spec) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (name, version, runtime) DO UPDATE SET spec = excluded.spec",
      spec.name(), spec.version(), write.workload.runtime, BlobOf(spec));
}

void Execute(SqlStatements& statements, const PutJob& write) {
  const JobRecord& job = write.job;
  statements.Execute(
      "INSERT INTO jobs (sequence, job_id, request_id, request, submitted_unix_s, unranked) VALUES (?, ?, ?, ?, ?, ?)",
      job.sequence, job.job_id, job.request.request_id(), BlobOf(job.request), job.submitted_unix_s,
      job.request.unranked());
  for (const auto& [name, value] : write.parameters) {
    statements.Execute("INSERT INTO job_parameters (job_id, name, value) VALUES (?, ?, ?)", job.job_id, name, value);
  }
}

void Execute(SqlStatements& statements, const PutRun& write) {
  const RunRecord& run = write.run;
  statements.Execute(
      "INSERT INTO runs (run_id, job_id, job_index, repetition, workload, workload_version, board, runtime, profile, "
      "target_agent_id, agent_id, device, device_kind, spec, state, submitted_unix_s, started_unix_s, "
      "finished_unix_s, failure, attempts, retries_used, cancel_requested, cancel_reason, overrides) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
      "(SELECT submitted_unix_s FROM jobs WHERE job_id = ?2), ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) "
      "ON CONFLICT (run_id) DO UPDATE SET agent_id = excluded.agent_id, device = excluded.device, "
      "device_kind = excluded.device_kind, spec = excluded.spec, state = excluded.state, "
      "started_unix_s = excluded.started_unix_s, finished_unix_s = excluded.finished_unix_s, "
      "failure = excluded.failure, attempts = excluded.attempts, retries_used = excluded.retries_used, "
      "cancel_requested = excluded.cancel_requested, cancel_reason = excluded.cancel_reason",
      run.run_id, run.job_id, run.index, run.repetition, run.spec.workload(), run.spec.workload_version(), run.board,
      run.spec.runtime(), run.spec.profile(), OrNull(run.target_agent_id), OrNull(run.agent_id), run.spec.device(),
      run.device_kind, BlobOf(run.spec), RunStateName(run.state), run.started_unix_s, run.finished_unix_s,
      BlobOf(run.failure), run.attempts, run.retries_used, run.cancel_requested, run.cancel_reason, run.overrides);
}

void Execute(SqlStatements& statements, const PutAttempt& write) {
  const AttemptRecord& attempt = write.attempt;
  statements.Execute(
      "INSERT INTO attempts (attempt_id, run_id, number, agent_id, incarnation, kill_on_disconnect, state, outcome, "
      "failure, dispatched_unix_s, started_unix_s, finished_unix_s, exit_code, signal, stderr_tail, report_sha256, "
      "start_by_boot_id, start_by_boottime_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (attempt_id) DO UPDATE SET state = excluded.state, outcome = excluded.outcome, "
      "failure = excluded.failure, started_unix_s = excluded.started_unix_s, "
      "finished_unix_s = excluded.finished_unix_s, exit_code = excluded.exit_code, signal = excluded.signal, "
      "stderr_tail = excluded.stderr_tail, report_sha256 = excluded.report_sha256",
      attempt.attempt_id, attempt.run_id, attempt.number, attempt.agent_id, attempt.incarnation,
      attempt.kill_on_disconnect, AttemptStateName(attempt.state), attempt.outcome, BlobOf(attempt.failure),
      attempt.dispatched_unix_s, attempt.started_unix_s, attempt.finished_unix_s, attempt.exit_code, attempt.signal,
      attempt.stderr_tail, attempt.report_sha256, attempt.start_by.boot_id(),
      static_cast<int64_t>(attempt.start_by.boottime_ns()));
}

void WriteMetrics(SqlStatements& statements, const std::string& run_id, const v1::Result& result) {
  const auto optional = [](bool has, double value) { return has ? std::optional<double>(value) : std::nullopt; };
  for (const v1::Metric& metric : result.metrics()) {
    // Nothing can be ranked by it; it stands in the report.
    if (!std::isfinite(metric.value())) continue;
    statements.Execute(
        "INSERT INTO metrics (run_id, name, unit, value, n, ci_low, ci_high) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run_id, name) DO UPDATE SET unit = excluded.unit, value = excluded.value, n = excluded.n, "
        "ci_low = excluded.ci_low, ci_high = excluded.ci_high",
        run_id, metric.name(), metric.unit(), metric.value(),
        metric.has_n() ? std::optional<int>(metric.n()) : std::nullopt, optional(metric.has_ci_low(), metric.ci_low()),
        optional(metric.has_ci_high(), metric.ci_high()));
  }
}

void Execute(SqlStatements& statements, const PutReport& write) {
  SQLite::Statement& stored = statements.Bind("SELECT sha256 FROM results WHERE attempt_id = ?", write.attempt_id);
  if (stored.executeStep()) {
    const bool is_same = stored.getColumn(0).getString() == write.sha256;
    stored.reset();
    if (is_same) return;
    throw SQLite::Exception("attempt " + write.attempt_id + " has a report with other bytes already");
  }
  stored.reset();
  const v1::Result& result = write.report->result();
  const v1::Verdict& verdict = result.verdict();
  std::optional<std::string> host;
  if (result.has_environment()) {
    const Blob environment{DeterministicBytes(result.environment())};
    host = Sha256Hex(environment.bytes);
    statements.Execute("INSERT OR IGNORE INTO hosts (sha256, environment) VALUES (?, ?)", *host, environment);
  }
  statements.Execute(
      "INSERT INTO results (attempt_id, run_id, sha256, report, canonical, verdict, verdict_cause, verdict_reason, "
      "host_sha256, device_model, runtime_version, received_unix_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      write.attempt_id, write.run_id, write.sha256, Blob{write.bytes}, write.is_canonical, verdict.kind(),
      verdict.cause(), verdict.evidence().empty() ? "" : verdict.evidence(0), host,
      result.environment().device().model(), result.environment().runtime_version(), write.received_unix_s);
  if (write.is_canonical) WriteMetrics(statements, write.run_id, result);
  if (!write.log.empty()) {
    statements.Execute("INSERT INTO logs (attempt_id, bytes) VALUES (?, ?)", write.attempt_id, Blob{write.log});
  }
}

void Execute(SqlStatements& statements, const KeepReport& write) {
  statements.Execute(
      "INSERT OR IGNORE INTO kept_reports (attempt_id, sha256, report, why, received_unix_s) VALUES (?, ?, ?, ?, ?)",
      write.attempt_id, write.sha256, Blob{write.bytes}, write.why, write.received_unix_s);
}

void Execute(SqlStatements& statements, const PutProfile& write) {
  const v1::TunedProfile& profile = write.profile;
  statements.Execute(
      "INSERT INTO tuned_profiles (agent_id, device_uuid, runtime, workload, workload_version, board, profile) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET profile = excluded.profile",
      profile.agent_id(), profile.device_uuid(), profile.runtime(), profile.workload(), profile.workload_version(),
      profile.board(), BlobOf(profile));
}

void Execute(SqlStatements& statements, const DropProfile& write) {
  const ProfileKey& key = write.key;
  statements.Execute(
      "DELETE FROM tuned_profiles WHERE agent_id = ? AND device_uuid = ? AND runtime = ? AND workload = ? "
      "AND workload_version = ? AND board = ?",
      key.agent_id, key.device_uuid, key.runtime, key.workload, key.workload_version, key.board);
}

}  // namespace

void ExecuteWrite(SqlStatements& statements, const Write& write) {
  std::visit([&](const auto& one) { Execute(statements, one); }, write);
}

RunRecord ReadRun(SQLite::Statement& row) {
  RunRecord run;
  int column = 0;
  const auto text = [&] { return row.getColumn(column++).getString(); };
  const auto number = [&] { return row.getColumn(column++).getInt(); };
  run.run_id = text();
  run.job_id = text();
  run.index = number();
  run.repetition = number();
  run.target_agent_id = text();
  run.agent_id = text();
  run.spec.ParseFromString(BytesOf(row.getColumn(column++)));
  run.device_kind = text();
  run.board = text();
  run.state = ParseRunState(text()).value_or(RunState::kFailed);
  run.started_unix_s = row.getColumn(column++).getDouble();
  run.finished_unix_s = row.getColumn(column++).getDouble();
  run.failure.ParseFromString(BytesOf(row.getColumn(column++)));
  run.attempts = number();
  run.retries_used = number();
  run.cancel_requested = number() != 0;
  run.cancel_reason = text();
  run.overrides = text();
  return run;
}

AttemptRecord ReadAttempt(SQLite::Statement& row) {
  AttemptRecord attempt;
  int column = 0;
  const auto text = [&] { return row.getColumn(column++).getString(); };
  const auto number = [&] { return row.getColumn(column++).getInt(); };
  const auto real = [&] { return row.getColumn(column++).getDouble(); };
  attempt.attempt_id = text();
  attempt.run_id = text();
  attempt.number = number();
  attempt.agent_id = text();
  attempt.incarnation = text();
  attempt.kill_on_disconnect = number() != 0;
  attempt.state = ParseAttemptState(text()).value_or(AttemptState::kStored);
  attempt.outcome = text();
  attempt.failure.ParseFromString(BytesOf(row.getColumn(column++)));
  attempt.dispatched_unix_s = real();
  attempt.started_unix_s = real();
  attempt.finished_unix_s = real();
  attempt.exit_code = number();
  attempt.signal = text();
  attempt.stderr_tail = text();
  attempt.report_sha256 = text();
  attempt.start_by.set_boot_id(text());
  attempt.start_by.set_boottime_ns(row.getColumn(column++).getInt64());
  return attempt;
}

}  // namespace fleetmark
