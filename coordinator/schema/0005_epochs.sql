-- Which coordinators this store has been the memory of: agents that obeyed another one since are not taken over.
CREATE TABLE epochs (
  coordinator_epoch INTEGER PRIMARY KEY,
  instance_id TEXT NOT NULL,
  restored_from INTEGER NOT NULL,  -- 0 for a start; else the epoch of the backup that the store was restored from
  restored_unix_s REAL NOT NULL
) STRICT;
