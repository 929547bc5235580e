-- What the S3 service keeps; the bytes are files, named here.

CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    -- `Off` (never switched on), `Enabled` or `Suspended`.
    versioning TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE objects (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    -- Orders the versions of a key; the newest has the highest.
    seq BIGINT NOT NULL,
    is_latest BIGINT NOT NULL,
    delete_marker BIGINT NOT NULL,
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    -- Absent for delete markers.
    file TEXT,
    created BIGINT NOT NULL,
    PRIMARY KEY (bucket, key, version_id)
);
CREATE UNIQUE INDEX objects_by_seq ON objects (bucket, key, seq DESC);
CREATE UNIQUE INDEX objects_latest ON objects (bucket, key) WHERE is_latest = 1;
CREATE INDEX objects_by_file ON objects (file);

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX uploads_by_key ON uploads (bucket, key, id);

CREATE TABLE parts (
    upload_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    file TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
);
CREATE INDEX parts_by_file ON parts (file);
