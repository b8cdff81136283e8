-- A refused event may be given up for good, by somebody and for a reason. The row stays, so that no
-- relay publishes the event after all; its day's partition need not.
alter table outbox_refused
    add column discarded_at timestamptz,
    add column discarded_by text,
    add column discarded_why text,
    add column settled_at timestamptz generated always as (coalesce(republished_at, discarded_at)) stored,
    add constraint outbox_refused_settled_once check (republished_at is null or discarded_at is null);

drop index outbox_refused_waiting;
create index outbox_refused_waiting on outbox_refused (at) where settled_at is null;

create or replace function outbox_maintain(ahead_days int, kept_days int)
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
        select c.oid::regclass as name,
               to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' as first
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'outbox_event'::regclass
          -- A case, because the planner may look at the names of other tables' children first.
          and case when c.relname ~ '_[0-9]{8}$'
                   then to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept_days
                   else false end
    loop
        execute format('select exists (select from %s where $1 is null'
                       ' or not pg_visible_in_snapshot(xid, $1))', part.name)
            into pending using done_snapshot;
        if not pending and not exists (
            select from outbox_refused r where r.settled_at is null
               and r.at >= part.first and r.at < part.first + interval '1 day')
        then
            execute format('alter table outbox_event detach partition %s', part.name);
            execute format('drop table %s', part.name);
            dropped := dropped + 1;
        end if;
    end loop;
    return next;
end $$;
