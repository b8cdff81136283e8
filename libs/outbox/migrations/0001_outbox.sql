-- Events on their way to Kafka. Insert-only: the relay reads the rows from the write-ahead log, and
-- whole days are dropped when every event in them was delivered and the time for repairs is over.
create sequence outbox_event_seq;

create table outbox_event (
    seq bigint not null default nextval('outbox_event_seq'),
    -- What a slot that was lost is repaired from: which transactions have been published.
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    id uuid not null,
    topic text not null,
    key text not null,
    headers json not null,
    value bytea, -- null: a tombstone
    primary key (seq, at)
) partition by range (at);

create index outbox_event_xid on outbox_event (xid);

create function outbox_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'outbox_event is insert-only';
end $$;

create trigger outbox_event_is_insert_only before update or delete or truncate on outbox_event
    for each statement execute function outbox_refuse_change();

-- What the relay knows. One row.
create table outbox_progress (
    only_one boolean primary key default true check (only_one),
    epoch bigint not null default 0,       -- names the slot and the source; 0: there was none yet
    system_id text,                        -- the server cluster that the slot was made on,
    timeline int,                          -- and its timeline: either changes, the slot is void
    published pg_snapshot,                 -- all events of the transactions it sees were delivered
    published_at timestamptz,
    repair_since timestamptz,              -- a repair looks for what Kafka has from this time on
    updated_at timestamptz not null default now()
) with (fillfactor = 50);

insert into outbox_progress default values;

-- After a slot was lost: the events that may not have been published, in the order of publishing.
create table outbox_repair (
    ordinal bigint primary key,
    seq bigint not null,
    at timestamptz not null
);

-- Makes the partitions of the next days, drops those that are published and older than kept_days.
-- Runs with the owner's rights, because services may not change the schema.
create function outbox_maintain(ahead_days int, kept_days int)
    returns table (made int, dropped int)
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '500ms'
as $$
declare
    today date := (now() at time zone 'UTC')::date;
    part record;
    pending boolean;
    done_snapshot pg_snapshot := (select published from outbox_progress);
begin
    made := 0;
    dropped := 0;
    perform pg_advisory_xact_lock(hashtext('outbox_maintain'));
    for part in
        select d::date as day, 'outbox_event_' || to_char(d, 'YYYYMMDD') as name
        from generate_series(today - 1, today + ahead_days, interval '1 day') d
    loop
        if to_regclass(part.name) is null then
            -- CREATE TABLE … PARTITION OF would lock out writers; ATTACH does not.
            execute format('create table %I (like outbox_event including defaults'
                           ' including constraints including indexes)', part.name);
            execute format('alter table outbox_event attach partition %I for values from (%L) to (%L)',
                           part.name, part.day || ' 00:00:00+00', part.day + 1 || ' 00:00:00+00');
            made := made + 1;
        end if;
    end loop;
    for part in
        select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'outbox_event'::regclass
          and to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept_days
    loop
        execute format('select exists (select from %s where $1 is null'
                       ' or not pg_visible_in_snapshot(xid, $1))', part.name)
            into pending using done_snapshot;
        if not pending then
            execute format('alter table outbox_event detach partition %s', part.name);
            execute format('drop table %s', part.name);
            dropped := dropped + 1;
        end if;
    end loop;
    return next;
end $$;

revoke all on function outbox_maintain(int, int) from public; -- the service has a grant of its own

select outbox_maintain(14, 8);

create publication relais_outbox for table outbox_event
    with (publish = 'insert', publish_via_partition_root = true);
