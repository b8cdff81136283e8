-- Bulk work on its way to outbox_event: what is here is not in the publication, the pacer moves it, a
-- batch at a time, in the order of (turn, seq).
create table outbox_bulk (
    seq bigint generated always as identity,
    -- Start-time fair queueing: each tenant's rows count up from where the queue stands.
    turn bigint not null,
    tenant text not null, -- '': no one in particular
    staged_at timestamptz not null default now(),
    id uuid not null,
    topic text not null,
    key text not null,
    headers json not null,
    value bytea, -- null: a tombstone
    partition int,
    primary key (turn, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

create index outbox_bulk_tenant on outbox_bulk (tenant, turn);
