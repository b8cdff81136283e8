-- One row per grant. What the client said (content_type, size_bytes, declared_sha256) and what was
-- found (sha256, variants) are different columns: nothing a client sends can pass for a finding.
-- The states and their arrows are in domain/upload_state.cpp; each arrow is one guarded UPDATE.
CREATE TABLE upload (
    id              uuid        PRIMARY KEY,
    owner_id        uuid        NOT NULL,
    purpose         text        NOT NULL,
    state           text        NOT NULL
        CHECK (state IN ('granted', 'uploaded', 'verifying', 'ready', 'rejected', 'expired')),
    content_type    text        NOT NULL,
    size_bytes      bigint      NOT NULL CHECK (size_bytes > 0),
    declared_sha256 text        CHECK (declared_sha256 ~ '^[0-9a-f]{64}$'),
    object_key      text        NOT NULL UNIQUE,
    granted_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    reason          text,
    asset_id        uuid        UNIQUE,
    sha256          text        CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    -- Where the request that was granted stands in its trace, for the events that follow from it.
    traceparent     text        NOT NULL,
    correlation_id  text        NOT NULL,
    causation_id    text        NOT NULL,
    CHECK ((state = 'rejected') = (reason IS NOT NULL)),
    CHECK ((state = 'ready') = (asset_id IS NOT NULL)),
    CHECK ((state = 'ready') = (sha256 IS NOT NULL))
) WITH (fillfactor = 70);

-- The quota counts a person's open uploads.
CREATE INDEX upload_open_by_owner ON upload (owner_id)
    WHERE state IN ('granted', 'uploaded', 'verifying');

CREATE TABLE upload_variant (
    upload_id  uuid    NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    place      integer NOT NULL,
    width      integer NOT NULL,
    height     integer NOT NULL,
    key        text    NOT NULL,
    size_bytes bigint  NOT NULL,
    PRIMARY KEY (upload_id, place)
);

-- An upload has a row here as long as something is to be done about it; what, its state says. The row
-- is claimed for a short time by one instance, which renews the claim while it works: after kill -9
-- another one goes on where the state stands.
CREATE TABLE upload_work (
    upload_id     uuid        PRIMARY KEY REFERENCES upload (id) ON DELETE CASCADE,
    hints         integer     NOT NULL DEFAULT 1, -- told again meanwhile: look once more
    tries         integer     NOT NULL DEFAULT 0, -- counted before the work, so a crash counts
    failures      integer     NOT NULL DEFAULT 0, -- in a row, for the backoff
    due_at        timestamptz NOT NULL,
    claimed_by    uuid,
    claimed_until timestamptz,
    fence         bigint      NOT NULL DEFAULT 0, -- a claim that was lost cannot write
    last_error    text
) WITH (fillfactor = 70);
CREATE INDEX upload_work_due ON upload_work (due_at);
