-- What the provider told us, raw, before anything is made of it. The digest makes a repeat harmless.
create table webhook_event (
    digest      text primary key,
    provider    text not null,
    body        text not null,
    traceparent text not null,
    received_at timestamptz not null default now(),
    done_at     timestamptz,
    attempts    integer not null default 0,
    outcome     text
);
create index webhook_event_open on webhook_event (received_at) where done_at is null;
