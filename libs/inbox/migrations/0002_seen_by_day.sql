-- Ids of events without positions, a partition for each day: what is old goes as a whole, nothing is
-- deleted row by row. An id of version 7 begins with its time, so the id alone says which day; other
-- ids are kept in a partition of their own.
alter table inbox_seen rename to inbox_seen_unparted;
alter index inbox_seen_at rename to inbox_seen_unparted_at;
alter table inbox_seen_unparted rename constraint inbox_seen_pkey to inbox_seen_unparted_pkey;

create table inbox_seen (
    consumer_group text not null,
    event_id uuid not null,
    seen_at timestamptz not null default now(),
    primary key (consumer_group, event_id)
) partition by range (event_id);

create table inbox_seen_other partition of inbox_seen default;
create index inbox_seen_other_at on inbox_seen_other (seen_at);

-- The smallest id of version 7 of a moment.
create function inbox_first_id(moment timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

-- Makes the partitions of the next days and of those that are kept, drops older ones. Runs with the
-- owner's rights, because services may not change the schema.
create function inbox_maintain_seen(ahead_days int, kept_days int)
    returns table (made int, dropped int)
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '500ms'
as $$
declare
    today date := (now() at time zone 'UTC')::date;
    part record;
begin
    made := 0;
    dropped := 0;
    if not pg_try_advisory_xact_lock(hashtext('inbox_maintain_seen')) then
        return next; -- another instance is at it
        return;
    end if;
    for part in
        select d::date as day, 'inbox_seen_' || to_char(d, 'YYYYMMDD') as name
        from generate_series(today - kept_days, today + ahead_days, interval '1 day') d
    loop
        if to_regclass(part.name) is null then
            execute format('create table %I (like inbox_seen including defaults'
                           ' including constraints including indexes)', part.name);
            begin
                execute format('alter table inbox_seen attach partition %I for values from (%L) to (%L)',
                               part.name,
                               inbox_first_id((part.day || ' 00:00:00+00')::timestamptz),
                               inbox_first_id((part.day + 1 || ' 00:00:00+00')::timestamptz));
                made := made + 1;
            exception when check_violation then
                -- Ids of that day came before their partition: they stay among the others.
                execute format('drop table %I', part.name);
            end;
        end if;
    end loop;
    for part in
        select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'inbox_seen'::regclass
          -- A case, because the planner may look at the names of other tables' children first.
          and case when c.relname ~ '_[0-9]{8}$'
                   then to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept_days
                   else false end
    loop
        execute format('drop table %s', part.name);
        dropped := dropped + 1;
    end loop;
    return next;
end $$;

revoke all on function inbox_maintain_seen(int, int) from public; -- the service has a grant of its own

select inbox_maintain_seen(7, 8);

insert into inbox_seen select * from inbox_seen_unparted;
drop table inbox_seen_unparted;
