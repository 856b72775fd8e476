-- SQLite reads the whole row of a table WITHOUT ROWID to compare its key, and every run and attempt refers to its agent:
-- what makes the row large stands apart. With a thousand agents boards and writes of runs are ten times as fast.
CREATE TABLE agent_descriptions (
  agent_id TEXT PRIMARY KEY REFERENCES agents (agent_id),
  description BLOB NOT NULL
) STRICT;
INSERT INTO agent_descriptions (agent_id, description) SELECT agent_id, description FROM agents;
ALTER TABLE agents DROP COLUMN description;
