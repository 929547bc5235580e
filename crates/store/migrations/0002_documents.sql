-- Records of the neighbouring services (instances, roles, keys, ...): JSON under a kind and a key.

CREATE TABLE documents (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Counts writes of this document, from 1.
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);

-- By what else a document is found, for example `role/X`.
CREATE TABLE document_terms (
    kind TEXT NOT NULL,
    term TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (kind, term, key)
);
CREATE INDEX document_terms_by_key ON document_terms (kind, key);
