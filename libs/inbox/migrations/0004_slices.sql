-- Keys of a partition in parallel: its keys are divided among slices, each with a transaction of its
-- own. A row is there while a batch is under way, or was when the process ended; when all slices have
-- come to the batch's end, the partition's row moves and the slices' rows go.
create table inbox_slice (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    slice int not null,
    slices int not null, -- among how many the keys are divided
    -- As in inbox_watermark.
    source text not null,
    epoch bigint not null,
    lsn bigint not null,
    idx bigint not null,
    recent bytea not null,
    next_offset bigint,
    held_keys int not null default 0, -- since the partition's row moved
    primary key (consumer_group, topic, partition, slice)
) with (fillfactor = 50);
