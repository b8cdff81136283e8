-- The relay without logical replication: which events a shard has seen is a snapshot, and what it
-- will publish is written down with its positions before it is published.
alter table outbox_progress
    add column mode text not null default 'logical' check (mode in ('logical', 'polling')),
    add column shards int not null default 0;

create table outbox_shard (
    shard int primary key,
    seen pg_snapshot not null,  -- whatever it sees was assigned
    published pg_snapshot       -- whatever it sees was delivered
) with (fillfactor = 50);

create table outbox_assigned (
    shard int not null,
    position bigint not null,
    idx int not null,
    seq bigint not null,
    at timestamptz not null,
    primary key (shard, position, idx)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

create sequence outbox_position;

-- Partition counts by the topics file, as the relays know it: for rows without a partition.
create table outbox_topic (
    topic text primary key,
    partitions int not null check (partitions > 0)
);

-- As libs/events/partitioner.cpp.
create function outbox_murmur2(bytes bytea) returns bigint
    language plpgsql immutable strict parallel safe as $$
declare
    mixer constant bigint := 1540483477;
    mask constant bigint := 4294967295;
    size constant int := length(bytes);
    hash bigint := 2538058380 # size;
    word bigint;
    place int := 0;
begin
    while place + 4 <= size loop
        word := get_byte(bytes, place) | (get_byte(bytes, place + 1)::bigint << 8)
              | (get_byte(bytes, place + 2)::bigint << 16)
              | (get_byte(bytes, place + 3)::bigint << 24);
        word := (word * mixer) & mask;
        word := word # (word >> 24);
        word := (word * mixer) & mask;
        hash := ((hash * mixer) & mask) # word;
        place := place + 4;
    end loop;
    if place < size then
        for i in reverse size - 1 .. place loop
            hash := hash # (get_byte(bytes, i)::bigint << (8 * (i - place)));
        end loop;
        hash := (hash * mixer) & mask;
    end if;
    hash := hash # (hash >> 13);
    hash := (hash * mixer) & mask;
    return hash # (hash >> 15);
end $$;

-- The partition of a row that does not know it; 0 for a topic that is not in the topics file.
create function outbox_partition(of_topic text, of_key text) returns int
    language sql stable parallel safe as $$
    select coalesce((select ((outbox_murmur2(convert_to(of_key, 'UTF8')) & 2147483647) % t.partitions)::int
                     from outbox_topic t where t.topic = of_topic), 0)
$$;
