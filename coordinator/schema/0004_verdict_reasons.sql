-- Why a result has its verdict, for boards and histories, which do not open the reports. Those from before there were
-- verdicts have none.
ALTER TABLE results ADD COLUMN verdict_cause TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN verdict_reason TEXT NOT NULL DEFAULT '';
