-- What boards and histories show of a result, beside the report: SQLite would read all of that, megabytes of step times,
-- for what stands behind it in the row.
CREATE INDEX results_of_boards ON results (run_id, canonical, verdict, verdict_cause, verdict_reason, device_model,
  runtime_version) WHERE canonical = 1;
