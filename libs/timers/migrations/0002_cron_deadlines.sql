-- Timers that come again and again, timers with a deadline, and ways through a large table.

alter table timer
    add column expires_at timestamptz,        -- not fired by then: given up
    -- When not_before was set. Later than now: the wall clock was set back since, and what is left
    -- of the wait counts from now.
    add column waits_since timestamptz,
    -- Due again and again; due_at is the next time. Such a row is moved by its firing, not removed.
    add column cron text,
    add column time_zone text,
    add column catch_up text check (catch_up in ('skip', 'once', 'all')),
    add constraint timer_cron check (num_nonnulls(cron, time_zone, catch_up) in (0, 3)),
    add constraint timer_either check (cron is null or expires_at is null);

-- Of each kind and priority, those that come next: however many are pending, both "what is due" and
-- "when is the next one" read the head of this index.
drop index timer_due;
create index timer_next on timer (kind, priority, greatest(due_at, not_before))
    where failed_at is null;
create index timer_waiting on timer (waits_since)
    where failed_at is null and waits_since is not null;
