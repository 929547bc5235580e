-- What operators look at: lists by application and by status, what is installed on one host, and who did what.

CREATE INDEX deployments_by_application_created ON deployments (application_id, created, id);
CREATE INDEX deployments_by_status ON deployments (region, status, created, id);
CREATE INDEX deployment_groups_by_region ON deployment_groups (region, id);
CREATE INDEX host_health_by_target ON host_health (target_id);

-- The deployment's version whose commit last changed the target: who follows a deployment asks for what is newer.
ALTER TABLE targets ADD COLUMN changed_in BIGINT NOT NULL DEFAULT 0;
CREATE INDEX targets_by_change ON targets (deployment_id, changed_in);

-- Calls that changed something, or were to. `outcome` is `Succeeded` or the error's name.
CREATE TABLE audit (
    region TEXT NOT NULL,
    at BIGINT NOT NULL,
    id TEXT NOT NULL,
    principal TEXT NOT NULL,
    access_key TEXT NOT NULL,
    source TEXT,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (region, at, id)
);
CREATE INDEX audit_by_time ON audit (at);
