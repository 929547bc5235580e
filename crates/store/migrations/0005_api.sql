-- Configurations for Lambda and ECS are kept as records, without a minimum of healthy hosts. The body tells the platform.
-- SQLite cannot change a column, so the table is made anew.

CREATE TABLE deployment_configs_new (
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    minimum_healthy TEXT,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (region, name)
);
INSERT INTO deployment_configs_new (region, name, id, minimum_healthy, body, created)
    SELECT region, name, id, minimum_healthy, '{"computePlatform":"Server"}', created FROM deployment_configs;
DROP TABLE deployment_configs;
ALTER TABLE deployment_configs_new RENAME TO deployment_configs;
