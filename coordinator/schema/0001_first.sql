-- Ids are text of 20 characters (common/ids.h). Times are Unix seconds, 0 when not yet. Blobs are serialized messages of
-- fleetmark.v1; whatever is searched for has a column of its own.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  description BLOB NOT NULL,
  draining INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  offline_since_unix_s REAL NOT NULL,
  last_seen_unix_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agents_by_name ON agents (name) WHERE removed = 0;

-- Outlives the agents that described it: boards are read when every machine is off.
CREATE TABLE workloads (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  runtime TEXT NOT NULL,
  spec BLOB NOT NULL,
  PRIMARY KEY (name, version, runtime)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE,
  request_id TEXT NOT NULL UNIQUE,
  request BLOB NOT NULL,
  submitted_unix_s REAL NOT NULL
) STRICT;

CREATE TABLE job_parameters (
  job_id TEXT NOT NULL REFERENCES jobs (job_id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_parameters_by_value ON job_parameters (name, value);

CREATE TABLE runs (
  ordinal INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  job_id TEXT NOT NULL REFERENCES jobs (job_id),
  job_index INTEGER NOT NULL,
  repetition INTEGER NOT NULL,
  workload TEXT NOT NULL,
  workload_version INTEGER NOT NULL,
  board TEXT NOT NULL,
  runtime TEXT NOT NULL,
  profile TEXT NOT NULL,
  target_agent_id TEXT REFERENCES agents (agent_id),
  agent_id TEXT REFERENCES agents (agent_id),
  device TEXT NOT NULL,
  device_kind TEXT NOT NULL,
  spec BLOB NOT NULL,
  state TEXT NOT NULL,
  submitted_unix_s REAL NOT NULL,
  started_unix_s REAL NOT NULL,
  finished_unix_s REAL NOT NULL,
  failure BLOB NOT NULL,
  attempts INTEGER NOT NULL,
  retries_used INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  cancel_reason TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_job ON runs (job_id);
CREATE INDEX runs_by_board ON runs (workload, workload_version, board, finished_unix_s);
CREATE INDEX runs_by_agent ON runs (agent_id, submitted_unix_s);
CREATE INDEX runs_by_time ON runs (submitted_unix_s);
CREATE INDEX runs_active ON runs (state) WHERE state IN ('queued', 'running');

CREATE TABLE attempts (
  attempt_id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  number INTEGER NOT NULL,
  agent_id TEXT NOT NULL REFERENCES agents (agent_id),
  incarnation TEXT NOT NULL,
  kill_on_disconnect INTEGER NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT NOT NULL,
  failure BLOB NOT NULL,
  dispatched_unix_s REAL NOT NULL,
  started_unix_s REAL NOT NULL,
  finished_unix_s REAL NOT NULL,
  exit_code INTEGER NOT NULL,
  signal TEXT NOT NULL,
  stderr_tail TEXT NOT NULL,
  report_sha256 TEXT NOT NULL,
  start_by_boot_id TEXT NOT NULL,
  start_by_boottime_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attempts_by_run ON attempts (run_id, number);

-- Environments are large and few.
CREATE TABLE hosts (
  sha256 TEXT PRIMARY KEY,
  environment BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One report an attempt. The report keeps the bytes that its agent signed for; step samples stand in it and nowhere else,
-- eight bytes each. Rows are never updated.
CREATE TABLE results (
  attempt_id TEXT PRIMARY KEY REFERENCES attempts (attempt_id),
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  sha256 TEXT NOT NULL,
  report BLOB NOT NULL,
  canonical INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  host_sha256 TEXT REFERENCES hosts (sha256),
  device_model TEXT NOT NULL,
  runtime_version TEXT NOT NULL,
  received_unix_s REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX results_canonical ON results (run_id) WHERE canonical = 1;
CREATE INDEX results_by_verdict ON results (verdict);

-- Reports that are nobody's result, kept so that nothing is lost.
CREATE TABLE kept_reports (
  attempt_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  report BLOB NOT NULL,
  why TEXT NOT NULL,
  received_unix_s REAL NOT NULL,
  PRIMARY KEY (attempt_id, sha256)
) STRICT;

CREATE TABLE metrics (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  value REAL NOT NULL,
  n INTEGER,
  ci_low REAL,
  ci_high REAL,
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
  attempt_id TEXT PRIMARY KEY REFERENCES attempts (attempt_id),
  bytes BLOB NOT NULL
) STRICT;
