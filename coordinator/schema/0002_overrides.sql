-- The tunable parameters that a run set by hand, "threads=1": such a run is a row of its own on the board. Of runs from
-- before nobody kept which parameters are tunable.
ALTER TABLE runs ADD COLUMN overrides TEXT NOT NULL DEFAULT '';
