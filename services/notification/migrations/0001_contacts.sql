-- How to reach a person, as the contact snapshots have it. Erasure deletes the row.
create table contact (
    account_id      uuid primary key,
    version         bigint not null,
    email           text not null,
    email_validated boolean not null,
    -- HMAC of the normalised address: finds its suppression, which outlives the person.
    address_hash    bytea not null,
    display_name    text not null,
    locale          text not null
);
create index contact_by_address on contact (address_hash);

create table device (
    account_id      uuid not null references contact on delete cascade,
    device_id       text not null,
    provider        text not null,
    subscription_id text not null,
    platform        text not null,
    -- The provider said that nobody is there any more; a new subscription brings it back to life.
    dead_at         timestamptz,
    primary key (account_id, device_id)
);
create index device_by_subscription on device (subscription_id);

-- What a message about a job needs to say about it.
create table job (
    job_id  uuid primary key,
    version bigint not null,
    title   text not null
);

-- Addresses that must not be written to, and how their health is.
create table address_health (
    address_hash     bytea primary key,
    -- null: nothing is suppressed; 'activity': everything but security mail; 'all'
    suppressed       text check (suppressed in ('activity', 'all')),
    suppressed_until timestamptz,
    reason           text not null,
    soft_bounces     integer not null default 0,
    since            timestamptz not null
);
