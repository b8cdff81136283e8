-- Dead letters as people work with them: grouped by error, edited, discarded, with a record of who
-- did what.

alter table inbox_dead_letter
    -- Of type, reason and the last error's detail without its numbers, ids and quoted parts. Empty
    -- for letters from before.
    add column fingerprint text not null default '',
    add column detail_pattern text not null default '',
    add column edited_value bytea,            -- what a redrive runs; value keeps the original
    add column discarded_at timestamptz;

drop index inbox_dead_letter_open;
create index inbox_dead_letter_open on inbox_dead_letter (consumer_group, topic, dead_at)
    where redriven_at is null and discarded_at is null;
create index inbox_dead_letter_settled on inbox_dead_letter (coalesce(redriven_at, discarded_at))
    where redriven_at is not null or discarded_at is not null;

create table inbox_dead_letter_audit (
    id bigint generated always as identity primary key,
    letter_id bigint not null,                -- the row may be gone: letters are kept for less long
    at timestamptz not null,
    who text not null,
    what text not null check (what in ('redrive', 'edit', 'discard')),
    why text not null,
    before jsonb not null,                    -- {state, value_sha256, redrives}
    after jsonb not null
);
create index inbox_dead_letter_audit_letter on inbox_dead_letter_audit (letter_id);
create index inbox_dead_letter_audit_at on inbox_dead_letter_audit (at);
