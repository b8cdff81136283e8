create table campaign (
    campaign_id  uuid primary key,
    name         text not null,
    list         text not null,
    locale       text not null,
    template     text not null,
    state        text not null,
    reason       text not null default '',
    audience     bigint not null default 0,
    traceparent  text not null,
    correlation_id text not null,
    causation_id text not null,
    reported     text not null default '',
    created_at   timestamptz not null default now()
);

-- A campaign at the provider: one per language.
create table campaign_part (
    campaign_id  uuid not null references campaign,
    locale       text not null,
    state        text not null,
    remote_id    bigint,
    sent         bigint not null default 0,
    delivered    bigint not null default 0,
    unsubscribed bigint not null default 0,
    attempts     integer not null default 0,
    -- When to look at it next; null: nothing is left to do, until a webhook speaks of it.
    not_before   timestamptz,
    polled_at    timestamptz,
    last_error   text,
    primary key (campaign_id, locale)
);
create unique index campaign_part_remote on campaign_part (remote_id);
create index campaign_part_open on campaign_part (not_before) where not_before is not null;
