-- Jobs and offers. Which state may follow which is the table in domain/lifecycle.cpp; what two
-- transactions could break at the same time is guarded here as well.

CREATE TABLE job (
    id                uuid        PRIMARY KEY,
    requester_id      uuid        NOT NULL REFERENCES account_core (id),
    state             text        NOT NULL CHECK (state IN ('open', 'assigned')),
    -- Grows with every change of the row.
    version           bigint      NOT NULL DEFAULT 1,
    -- Grows with every change of what the job snapshot says; events name it as what they need.
    snapshot_version  bigint      NOT NULL DEFAULT 1,
    category          text        NOT NULL CHECK (char_length(category) BETWEEN 1 AND 64),
    locality          text        NOT NULL CHECK (char_length(locality) BETWEEN 1 AND 80),
    title             text        NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    description       text        NOT NULL CHECK (char_length(description) BETWEEN 1 AND 5000),
    budget_minor      bigint      NOT NULL CHECK (budget_minor > 0),
    currency          char(3)     NOT NULL,
    accepted_offer_id uuid,
    published_at      timestamptz NOT NULL,
    CHECK ((state = 'open') = (accepted_offer_id IS NULL))
);

-- One per form of GET /v1/jobs: the page is read off the index, newest first, ties by id.
CREATE INDEX job_list ON job (published_at DESC, id DESC) WHERE state = 'open';
CREATE INDEX job_list_category ON job (category, published_at DESC, id DESC) WHERE state = 'open';
CREATE INDEX job_list_locality ON job (locality, published_at DESC, id DESC) WHERE state = 'open';
CREATE INDEX job_list_category_locality ON job (category, locality, published_at DESC, id DESC)
    WHERE state = 'open';
CREATE INDEX job_requester ON job (requester_id);

CREATE TABLE offer (
    id           uuid        PRIMARY KEY,
    job_id       uuid        NOT NULL REFERENCES job (id),
    provider_id  uuid        NOT NULL REFERENCES account_core (id),
    state        text        NOT NULL CHECK (state IN ('submitted', 'accepted', 'superseded')),
    amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
    currency     char(3)     NOT NULL,
    message      text        NOT NULL CHECK (char_length(message) BETWEEN 1 AND 2000),
    made_at      timestamptz NOT NULL,
    decided_at   timestamptz,
    CHECK ((state = 'submitted') = (decided_at IS NULL))
);
CREATE INDEX offer_job ON offer (job_id, made_at DESC, id DESC);
CREATE INDEX offer_provider ON offer (provider_id, job_id);

-- Whatever a program does: at most one offer of a job is accepted.
CREATE UNIQUE INDEX offer_one_accepted ON offer (job_id) WHERE state = 'accepted';

ALTER TABLE job ADD CONSTRAINT job_accepted_offer FOREIGN KEY (accepted_offer_id)
    REFERENCES offer (id) DEFERRABLE INITIALLY DEFERRED;
