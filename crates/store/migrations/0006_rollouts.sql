-- What a deployment does about alarms, zones and its own failure, and why it did what it did.

-- Ends that a rollback follows: names of `AutoRollbackEvent`, separated by blanks.
ALTER TABLE deployments ADD COLUMN roll_back_on TEXT NOT NULL DEFAULT '';
-- The alarms to watch and what to do if they cannot be read; absent: none. JSON.
ALTER TABLE deployments ADD COLUMN alarms TEXT;
-- When they were first read; until then the deployment does not start.
ALTER TABLE deployments ADD COLUMN alarms_read BIGINT;
-- When one was found in ALARM, or could not be read, and which (JSON); the first finding counts.
ALTER TABLE deployments ADD COLUMN alarm_raised BIGINT;
ALTER TABLE deployments ADD COLUMN alarm_finding TEXT;
-- The zonal part of the configuration, JSON; absent: zones mean nothing.
ALTER TABLE deployments ADD COLUMN zonal TEXT;
-- What went otherwise than asked without failing the deployment: names, separated by blanks.
ALTER TABLE deployments ADD COLUMN messages TEXT NOT NULL DEFAULT '';
-- The deployment that this one rolls back.
ALTER TABLE deployments ADD COLUMN rolls_back TEXT;
-- The deployment that rolls this one back, or `impossible`.
ALTER TABLE deployments ADD COLUMN rolled_back_by TEXT;
CREATE INDEX deployments_watching ON deployments (created, id)
    WHERE completed IS NULL AND alarms IS NOT NULL AND alarm_raised IS NULL;

-- The availability zone of the target's host; absent: it has none.
ALTER TABLE targets ADD COLUMN zone TEXT;

-- `Fact`, `Decision` or `Waiting`; which rule, and its inputs as JSON. `what` says the same in words.
ALTER TABLE timeline ADD COLUMN kind TEXT NOT NULL DEFAULT 'Fact';
ALTER TABLE timeline ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE timeline ADD COLUMN inputs TEXT NOT NULL DEFAULT '{}';
