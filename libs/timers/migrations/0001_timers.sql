-- Things to do at a time, once. A timer that fires is removed in the transaction of its effect.
create table timer (
    id text primary key check (length(id) between 1 and 255),
    kind text not null,
    due_at timestamptz not null,
    priority int not null default 0,          -- lower first among the due ones
    payload text not null,
    attempts int not null default 0,          -- counted before each run, so a crash counts too
    -- Somebody is at it, or it waits after a failure. Only keeps others from trying in vain: what
    -- makes a timer fire once is its row, which the effect's transaction removes.
    not_before timestamptz,
    failed_at timestamptz,                    -- given up; stays for people to look at
    last_error text,
    created_at timestamptz not null default now()
);

create index timer_due on timer (greatest(due_at, not_before)) where failed_at is null;
create index timer_failed on timer (failed_at) where failed_at is not null;
