-- What hooks print, while they run and afterwards.

-- How much of it each deployment has. Whoever adds some takes the row first, so that positions are given out in the
-- order in which they become visible, and nobody who follows them misses one.
CREATE TABLE hook_output_deployments (
    deployment_id TEXT PRIMARY KEY,
    -- The last position given out.
    position BIGINT NOT NULL,
    -- What is kept now.
    bytes BIGINT NOT NULL,
    written BIGINT NOT NULL
);
CREATE INDEX hook_output_kept ON hook_output_deployments (written, deployment_id, bytes) WHERE bytes > 0;

-- One row per batch as the host's agent sent it; of a long output the middle is missing.
CREATE TABLE hook_output (
    deployment_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    target_id TEXT NOT NULL,
    event TEXT NOT NULL,
    command_id TEXT NOT NULL,
    -- The agent's number: a batch that comes again, or late, changes nothing.
    batch BIGINT NOT NULL,
    -- Bytes of the command's output before this batch, and in it.
    begins BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    chunks TEXT NOT NULL,
    PRIMARY KEY (deployment_id, position)
);
CREATE INDEX hook_output_by_target ON hook_output (deployment_id, target_id, position);
CREATE UNIQUE INDEX hook_output_by_batch ON hook_output (command_id, batch);
CREATE UNIQUE INDEX hook_output_by_place ON hook_output (command_id, begins);
