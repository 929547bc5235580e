-- What longshore deploys, where to, and how far it is.
-- Times are milliseconds since 1970-01-01T00:00:00Z; truths are 0 and 1; `body` and `options` are JSON that the
-- server writes and reads; `revision` texts are the canonical JSON of a revision's location.

CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE (region, name)
);

CREATE TABLE deployment_configs (
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    minimum_healthy TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (region, name)
);

CREATE TABLE deployment_groups (
    id TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id),
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    config_name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Counts updates by users, so that two of them do not overwrite each other; the pointers below do not count.
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    target_revision TEXT,
    last_successful_revision TEXT,
    last_successful_deployment TEXT,
    last_attempted_deployment TEXT,
    UNIQUE (application_id, name)
);
CREATE INDEX deployment_groups_by_config ON deployment_groups (region, config_name);

CREATE TABLE revisions (
    application_id TEXT NOT NULL,
    location TEXT NOT NULL,
    -- Of a revision in S3; for filters only.
    bucket TEXT,
    object_key TEXT,
    description TEXT,
    registered BIGINT NOT NULL,
    -- 0: never, so that the order is the same in every engine.
    first_used BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    PRIMARY KEY (application_id, location)
);
CREATE INDEX revisions_by_registered ON revisions (application_id, registered, location);
CREATE INDEX revisions_by_first_used ON revisions (application_id, first_used, location);
CREATE INDEX revisions_by_last_used ON revisions (application_id, last_used, location);

-- Deployments outlive their group and application, hence the names and no references.
CREATE TABLE deployments (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    application_id TEXT NOT NULL,
    application_name TEXT NOT NULL,
    group_id TEXT NOT NULL,
    group_name TEXT NOT NULL,
    config_name TEXT NOT NULL,
    minimum_healthy TEXT NOT NULL,
    revision TEXT NOT NULL,
    previous_revision TEXT,
    creator TEXT NOT NULL,
    -- Whether it takes the group's single place for an active deployment.
    exclusive BIGINT NOT NULL,
    description TEXT,
    ignore_application_stop_failures BIGINT NOT NULL,
    options TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    created BIGINT NOT NULL,
    started BIGINT,
    completed BIGINT,
    error_code TEXT,
    error_message TEXT,
    stop_requested BIGINT,
    stop_principal TEXT,
    stop_roll_back BIGINT,
    orphaned TEXT
);
CREATE INDEX deployments_by_region ON deployments (region, created, id);
CREATE INDEX deployments_by_group ON deployments (group_id, created, id);
CREATE INDEX deployments_by_application ON deployments (application_id) WHERE completed IS NULL;
CREATE INDEX deployments_unfinished ON deployments (created, id) WHERE completed IS NULL;
CREATE UNIQUE INDEX deployments_active ON deployments (group_id) WHERE completed IS NULL AND exclusive = 1;

CREATE TABLE targets (
    deployment_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    arn TEXT NOT NULL,
    host_identifier TEXT NOT NULL,
    status TEXT NOT NULL,
    last_updated BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (deployment_id, target_id)
);
CREATE INDEX targets_by_position ON targets (deployment_id, position, target_id);
CREATE INDEX targets_by_status ON targets (deployment_id, status, position, target_id);

-- The orders to hosts, with what the hosts reported on them. A command is closed when its lifecycle event is over.
CREATE TABLE host_commands (
    id TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    host_identifier TEXT NOT NULL,
    event TEXT NOT NULL,
    dispatched BIGINT NOT NULL,
    acknowledged BIGINT,
    completed BIGINT,
    succeeded BIGINT,
    diagnostics TEXT,
    closed BIGINT,
    -- Completed or closed, whichever came first: since then it does not occupy its host.
    freed BIGINT
);
CREATE INDEX host_commands_queued ON host_commands (host_identifier, dispatched, id) WHERE closed IS NULL;
CREATE INDEX host_commands_open ON host_commands (deployment_id, target_id) WHERE closed IS NULL;
CREATE INDEX host_commands_freed ON host_commands (host_identifier, freed, deployment_id);

CREATE TABLE hosts (
    identifier TEXT PRIMARY KEY,
    last_seen BIGINT NOT NULL,
    agent_version TEXT
);

-- What each host of a group has installed and whether the last deployment to it went well.
CREATE TABLE host_health (
    group_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    -- The revision installed; absent: unknown.
    revision TEXT,
    healthy BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (group_id, target_id)
);

-- What happened to a deployment, in words for operators.
CREATE TABLE timeline (
    deployment_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    target_id TEXT,
    what TEXT NOT NULL,
    PRIMARY KEY (deployment_id, version, position)
);
