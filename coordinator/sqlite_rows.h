#pragma once

#include "coordinator/records.h"
#include "coordinator/sql_statements.h"
#include "coordinator/store.h"

// Rows of the schema to records and back. Throws as SQLiteCpp does.
namespace fleetmark {

void ExecuteWrite(SqlStatements& statements, const Write& write);

inline const std::string kRunColumns =
    "run_id, job_id, job_index, repetition, target_agent_id, agent_id, spec, device_kind, board, state, "
    "started_unix_s, finished_unix_s, failure, attempts, retries_used, cancel_requested, cancel_reason, "
    "overrides";
RunRecord ReadRun(SQLite::Statement& row);

inline const std::string kAttemptColumns =
    "attempt_id, run_id, number, agent_id, incarnation, kill_on_disconnect, state, outcome, failure, "
    "dispatched_unix_s, started_unix_s, finished_unix_s, exit_code, signal, stderr_tail, report_sha256, "
    "start_by_boot_id, start_by_boottime_ns";
AttemptRecord ReadAttempt(SQLite::Statement& row);

}  // namespace fleetmark
