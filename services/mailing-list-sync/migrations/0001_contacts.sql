-- A person as the contact snapshots have it.
create table contact (
    account_id      uuid primary key,
    email           text not null,
    email_validated boolean not null,
    display_name    text not null,
    locale          text not null,
    version         bigint not null,
    erased_at       timestamptz
);
create index contact_by_email on contact (lower(email));

-- Who said what, and when. Only grows; the state is a fold over it (domain/consent.hpp).
create table consent_event (
    account_id  uuid not null,
    purpose     text not null,
    digest      text not null,
    kind        text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    evidence    text not null,
    primary key (account_id, purpose, digest)
);
do $$
begin
    if exists (select from pg_roles where rolname = 'mailing_list_sync') then
        revoke update, delete on consent_event from mailing_list_sync;
    end if;
end
$$;

-- What the provider was last known to have of a person.
create table shadow (
    account_id   uuid primary key,
    email        text not null,
    display_name text not null,
    locale       text not null,
    lists        text[] not null,
    confirmed_at timestamptz not null
);

-- One row per person who may differ from the provider: N events become one task.
create table sync_task (
    account_id     uuid primary key,
    wanted_version bigint not null,
    urgency        smallint not null,
    not_before     timestamptz not null,
    attempts       integer not null default 0,
    last_error     text,
    leased_by      text,
    leased_until   timestamptz,
    -- What last asked for it: the provider call carries its trace, the result event its cause.
    traceparent    text not null,
    correlation_id text not null,
    causation_id   text not null,
    created_at     timestamptz not null default now()
);
create index sync_task_due on sync_task (urgency, not_before);

-- The provider's ids of our lists.
create table provider_list (
    name      text primary key,
    remote_id bigint not null
);
