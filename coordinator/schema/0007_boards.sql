-- Boards and histories are of runs that succeeded; the others need not stand in their indexes. By series a board finds the
-- newest job of each of its rows without a look at the older ones (coordinator/board_query.cc).
DROP INDEX runs_by_board;
CREATE INDEX runs_by_board ON runs (workload, workload_version, board, finished_unix_s) WHERE state = 'succeeded';
CREATE INDEX runs_by_series ON runs (workload, workload_version, board, agent_id, device, runtime, profile, overrides)
  WHERE state = 'succeeded';
