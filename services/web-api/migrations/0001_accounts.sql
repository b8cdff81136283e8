-- Accounts. What every log-in reads is hot and narrow (account_core); what the world sees is apart
-- (profile). The two are never joined on the log-in path. Identifiers are version 7 UUIDs made by
-- the program, times are UTC.

CREATE TABLE account_core (
    id                 uuid        PRIMARY KEY,
    email_canonical    text        NOT NULL CHECK (octet_length(email_canonical) <= 254),
    email              text        NOT NULL CHECK (octet_length(email) <= 254),
    email_validated_at timestamptz,
    password_hash      text        NOT NULL CHECK (octet_length(password_hash) <= 128),
    locale             text        NOT NULL CHECK (locale IN ('nl', 'fr', 'de', 'en')),
    created_at         timestamptz NOT NULL,
    CONSTRAINT account_core_email_canonical UNIQUE (email_canonical)
) WITH (fillfactor = 85);

-- One row per account, locked by whoever changes something of the contact snapshot: it numbers the
-- snapshots, and because the lock is held until COMMIT their order is the order of the numbers.
CREATE TABLE contact_version (
    account_id uuid   PRIMARY KEY REFERENCES account_core (id),
    version    bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE profile (
    account_id      uuid        PRIMARY KEY REFERENCES account_core (id),
    display_name    text        NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 80),
    avatar_asset_id uuid,
    -- {"variants":[{"width":…,"height":…,"content_type":…,"key":…}]}, as upload published them.
    avatar_manifest jsonb,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((avatar_asset_id IS NULL) = (avatar_manifest IS NULL))
);

-- The token in the mail is derived from id and expires_at; this row makes it single-use.
CREATE TABLE email_validation (
    id           uuid        PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES account_core (id),
    requested_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX email_validation_account ON email_validation (account_id, expires_at);
CREATE INDEX email_validation_expiry ON email_validation (expires_at);

-- Only the SHA-256 of a token is kept.
CREATE TABLE session (
    id                  uuid        PRIMARY KEY,
    account_id          uuid        NOT NULL REFERENCES account_core (id),
    token_hash          bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at          timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    revoked_at          timestamptz,
    CONSTRAINT session_token_hash UNIQUE (token_hash)
) WITH (fillfactor = 85);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expiry ON session (absolute_expires_at);

CREATE TABLE api_key (
    id         uuid        PRIMARY KEY,
    -- The first characters of the token, to tell keys apart in lists.
    prefix     text        NOT NULL,
    token_hash bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    roles      text[]      NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_key_token_hash UNIQUE (token_hash)
);

-- Attempts to log in, by a keyed hash of the address whether it is known or not. Not worth a line of
-- write-ahead log: after a crash everybody starts from zero.
CREATE UNLOGGED TABLE login_attempt (
    address_hash bytea       PRIMARY KEY,
    attempts     integer     NOT NULL,
    last_at      timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX login_attempt_age ON login_attempt (last_at);

CREATE TABLE device (
    id              uuid        PRIMARY KEY,
    account_id      uuid        NOT NULL REFERENCES account_core (id),
    provider        text        NOT NULL CHECK (provider IN ('onesignal')),
    subscription_id text        NOT NULL CHECK (char_length(subscription_id) <= 128),
    platform        text        NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    registered_at   timestamptz NOT NULL,
    -- A phone that changes hands brings its subscription along.
    CONSTRAINT device_subscription UNIQUE (provider, subscription_id)
);
CREATE INDEX device_account ON device (account_id, registered_at);

-- What people agreed to and when they stopped: evidence, so rows are added and never touched again.
-- The last row of an account and purpose is the one that holds.
CREATE TABLE consent (
    seq         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          uuid        NOT NULL UNIQUE,
    account_id  uuid        NOT NULL REFERENCES account_core (id),
    purpose     text        NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 32),
    granted     boolean     NOT NULL,
    -- Who said so: "registration", "preferences", "provider:<name>".
    source      text        NOT NULL,
    -- What proves it, where it came from outside: "webhook:<digest>".
    evidence    text        NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX consent_account ON consent (account_id, purpose, seq DESC);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'web_api') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON consent FROM web_api;
    END IF;
END $$;

-- The same for whoever owns the table: evidence is not changed by a slip of a hand either.
CREATE FUNCTION refuse_change_of_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_consent();

-- Read model of marketing.contact.events.v1: the lists a person is on at the list provider.
CREATE TABLE list_membership (
    account_id uuid        NOT NULL REFERENCES account_core (id),
    list       text        NOT NULL,
    member     boolean     NOT NULL,
    since      timestamptz NOT NULL,
    PRIMARY KEY (account_id, list)
);
