-- What profile `tuned` means for a workload's board on one device of one agent: the settings that a search on that very
-- machine found to be the fastest, with the table of what it tried. The blob is a fleetmark.v1.TunedProfile.
CREATE TABLE tuned_profiles (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id),
  device_uuid TEXT NOT NULL,
  runtime TEXT NOT NULL,
  workload TEXT NOT NULL,
  workload_version INTEGER NOT NULL,
  board TEXT NOT NULL,
  profile BLOB NOT NULL,
  PRIMARY KEY (agent_id, device_uuid, runtime, workload, workload_version, board)
) STRICT, WITHOUT ROWID;

-- Jobs whose results are on no board: the candidates of such a search.
ALTER TABLE jobs ADD COLUMN unranked INTEGER NOT NULL DEFAULT 0;
