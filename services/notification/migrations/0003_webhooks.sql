-- What providers told us, raw, before anything is made of it. The digest makes a repeat harmless.
create table webhook (
    digest      text primary key,
    provider    text not null,
    body        bytea not null,
    traceparent text not null,
    received_at timestamptz not null,
    done_at     timestamptz,
    outcome     text
);
create index webhook_open on webhook (received_at) where done_at is null;
create index webhook_done on webhook (done_at) where done_at is not null;

-- Single events that took effect: providers group the same events differently when they repeat them.
create table provider_event (
    digest      text primary key,
    provider    text not null,
    delivery_id uuid,
    feedback    text not null,
    reason      text not null,
    occurred_at timestamptz not null
);
create index provider_event_age on provider_event (occurred_at);
