-- The ledger: one row for each message to one person over one channel. The row is written in the
-- inbox transaction of its cause, an intent before each call, the outcome after it.
create table delivery (
    delivery_id         uuid primary key,
    cause_event_id      uuid not null,
    template            text not null,
    channel             text not null check (channel in ('mail', 'push')),
    account_id          uuid not null,
    -- Fixed here, so that a later look shows the same message.
    language            text not null,
    facts               jsonb not null,
    state               text not null default 'pending'
        check (state in ('pending', 'sending', 'ambiguous', 'accepted', 'failed', 'skipped')),
    -- When somebody has to look at it: pending: to send it; sending: when its sender must be dead;
    -- ambiguous: to look it up.
    due_at              timestamptz not null,
    not_after           timestamptz not null,
    attempts            integer not null default 0,
    -- Attempts that did not count (the provider asked to wait, was not reachable).
    deferrals           integer not null default 0,
    look_ups            integer not null default 0,
    resends             integer not null default 0,
    -- Grows with each claim; who lost its claim cannot write an outcome any more.
    fence               bigint not null default 0,
    provider            text,
    provider_message_id text,
    template_version    text,
    reason              text,
    -- The last that the provider told about it.
    feedback            text,
    feedback_at         timestamptz,
    traceparent         text not null,
    correlation_id      text not null,
    caused_at           timestamptz not null,
    created_at          timestamptz not null,
    settled_at          timestamptz,
    unique (cause_event_id, template, channel, account_id)
);
create index delivery_due on delivery (channel, due_at)
    where state in ('pending', 'sending', 'ambiguous');
create index delivery_open_by_account on delivery (account_id)
    where state in ('pending', 'sending', 'ambiguous');
create index delivery_settled on delivery (settled_at) where settled_at is not null;
