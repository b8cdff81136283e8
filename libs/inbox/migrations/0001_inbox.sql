-- How far this database's consumers got, and the events that could not be handled at once.

-- One row for each partition of each topic. It moves in the transaction that handles the events, so
-- their effects happen exactly once; locking it also keeps apart two instances that both believe the
-- partition is theirs. Kafka's own offsets are advisory.
create table inbox_watermark (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    -- The position of the last event of the topic's relay: a later one is greater, whatever happens.
    source text not null default '',
    epoch bigint not null default 0,
    lsn bigint not null default 0,
    idx bigint not null default 0,
    -- Tails of the last event ids: what a repair publishes again under a new epoch is found here.
    recent bytea not null default '',
    next_offset bigint, -- null: nothing read yet
    held_keys int not null default 0,
    -- Starts since the last progress; a partition that crashes its process is handled with care.
    fruitless_starts int not null default 0,
    updated_at timestamptz not null default now(),
    primary key (consumer_group, topic, partition)
) with (fillfactor = 50);

-- Events of producers without positions (no relay), kept longer than their topics are.
create table inbox_seen (
    consumer_group text not null,
    event_id uuid not null,
    seen_at timestamptz not null default now(),
    primary key (consumer_group, event_id)
);
create index inbox_seen_at on inbox_seen (seen_at);

-- The snapshots that this service has, for events that name the version they need.
create table inbox_snapshot (
    consumer_group text not null,
    kind text not null,
    id text not null,
    version bigint not null,
    erased boolean not null default false,
    primary key (consumer_group, kind, id)
);

-- A key whose first event waits: for its next attempt, or for a snapshot.
create table inbox_held_key (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    key text not null,
    next_at timestamptz not null, -- while it waits for snapshots: when it gives up
    waiting_for text[],           -- "kind:id:version"
    held_since timestamptz not null default now(),
    primary key (consumer_group, topic, key)
) with (fillfactor = 70);
create index inbox_held_key_due on inbox_held_key (consumer_group, topic, partition, next_at);

-- The events of held keys, in the order of their offsets.
create table inbox_parked (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    record_offset bigint not null,
    key text not null,
    value bytea, -- null: a tombstone
    headers jsonb not null,
    record_time timestamptz not null,
    event_id uuid not null,
    type text not null,
    attempts int not null default 0, -- begun
    failures int not null default 0, -- ended with an error; the rest ended the process
    errors jsonb not null default '[]',
    redrives int not null default 0,
    parked_at timestamptz not null default now(),
    primary key (consumer_group, topic, partition, record_offset, event_id)
) with (fillfactor = 70);
create index inbox_parked_by_key on inbox_parked (consumer_group, topic, key, record_offset);

-- What could not be handled. `relaisctl dead-letters` lists and redrives them.
create table inbox_dead_letter (
    id bigint generated always as identity primary key,
    consumer_group text not null,
    topic text not null,
    partition int not null,
    record_offset bigint not null,
    key bytea not null,
    value bytea,
    headers jsonb not null,
    record_time timestamptz not null,
    event_id uuid, -- null when the envelope could not be read
    type text not null default '',
    reason text not null, -- slug of the last error
    attempts int not null,
    errors jsonb not null, -- [{at, attempt, kind, slug, detail}], oldest first
    redrives int not null default 0,
    dead_at timestamptz not null default now(),
    redriven_at timestamptz
);
create index inbox_dead_letter_open on inbox_dead_letter (consumer_group, topic, dead_at)
    where redriven_at is null;
