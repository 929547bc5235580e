-- What happened to deployments that somebody may want to hear of. A notice is written with the change that it tells
-- of, and goes when it has been turned into deliveries.
CREATE TABLE notices (
    deployment_id TEXT NOT NULL,
    -- The commit that caused it, and where in it.
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- The target and its lifecycle events at that moment; absent: the deployment as a whole.
    target_id TEXT,
    target_events TEXT,
    PRIMARY KEY (deployment_id, version, position, event)
);

-- Messages under way. Those of one lane go to one destination, one after the other.
CREATE TABLE delivery_lanes (
    lane TEXT PRIMARY KEY,
    destination TEXT NOT NULL,
    -- Nobody may try before then: while a server delivers, this is when its claim ends.
    due BIGINT NOT NULL,
    claimed_by TEXT NOT NULL,
    -- Failed attempts at the first message, and since when.
    attempts BIGINT NOT NULL,
    failing_since BIGINT,
    last_error TEXT,
    -- Counts the messages that were ever put in: who finds the lane empty sees whether one came meanwhile.
    added BIGINT NOT NULL
);
CREATE INDEX delivery_lanes_due ON delivery_lanes (due, lane);
CREATE INDEX delivery_lanes_by_destination ON delivery_lanes (destination, lane);

CREATE TABLE deliveries (
    lane TEXT NOT NULL,
    place BIGINT NOT NULL,
    id TEXT NOT NULL,
    -- JSON that the server writes and reads.
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (lane, place, id)
);

-- Messages that could not be delivered within their destination's patience.
CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    lane TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    died BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX dead_letters_by_time ON dead_letters (died, id);
CREATE INDEX dead_letters_by_destination ON dead_letters (destination, died, id);
