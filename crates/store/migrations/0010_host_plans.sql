-- What hosts are asked about a deployment that may be made. It lives for an hour or so.

CREATE TABLE host_plans (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    application TEXT NOT NULL,
    deployment_group TEXT NOT NULL,
    -- Answers are taken until then.
    expires BIGINT NOT NULL,
    -- What the hosts are told, in a form that is the server's own.
    question TEXT NOT NULL
);
CREATE INDEX host_plans_of_region ON host_plans (region, expires);
CREATE INDEX host_plans_expired ON host_plans (expires);

CREATE TABLE host_plan_answers (
    plan_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    target_id TEXT NOT NULL,
    host_identifier TEXT NOT NULL,
    -- Why the host is not asked; absent: it is.
    unasked TEXT,
    -- When the host was told.
    asked BIGINT,
    answered BIGINT,
    -- The answer, in forms that are the server's own: in short, and what is about single files.
    summary TEXT,
    files TEXT,
    PRIMARY KEY (plan_id, position)
);
CREATE UNIQUE INDEX host_plan_answers_of_target ON host_plan_answers (plan_id, target_id);
CREATE INDEX host_plan_answers_to_ask ON host_plan_answers (host_identifier)
    WHERE asked IS NULL AND unasked IS NULL;
