-- Campaigns: asked for here, carried out by mailing-list-sync, whose progress events fill the rest.

CREATE TABLE campaign (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    list         text        NOT NULL,
    -- NULL: every language of the list.
    locale       text        CHECK (locale IN ('nl', 'fr', 'de', 'en')),
    template     text        NOT NULL CHECK (char_length(template) BETWEEN 1 AND 64),
    -- The API key that asked.
    requested_by uuid        NOT NULL,
    state        text        NOT NULL
                 CHECK (state IN ('requested', 'accepted', 'sending', 'sent', 'failed')),
    reason       text        NOT NULL DEFAULT '',
    -- Totals so far, as the list provider reports them.
    audience     bigint      NOT NULL DEFAULT 0,
    sent         bigint      NOT NULL DEFAULT 0,
    delivered    bigint      NOT NULL DEFAULT 0,
    unsubscribed bigint      NOT NULL DEFAULT 0,
    requested_at timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);

-- One row per state a campaign reached.
CREATE TABLE campaign_history (
    campaign_id uuid        NOT NULL REFERENCES campaign (id),
    seq         integer     NOT NULL,
    state       text        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, seq)
);
