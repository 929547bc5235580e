-- Deployments that wait for their group's single place.

-- How it waits: `fifo`, `newest` or `replace-pending`; absent: it does not. While it waits, `exclusive` is 0.
ALTER TABLE deployments ADD COLUMN queue TEXT;
-- Its number in the history of what is deployed; absent: it can be compared with nothing.
ALTER TABLE deployments ADD COLUMN sequence BIGINT;
CREATE INDEX deployments_waiting ON deployments (group_id, created, id)
    WHERE completed IS NULL AND exclusive = 0;
