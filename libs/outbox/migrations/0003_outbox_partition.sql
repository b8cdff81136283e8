-- The Kafka partition that an event goes to (murmur2 of the key by the topics file), for relays that
-- share the work by partitions. Null in rows that were not written by append().
alter table outbox_event add column partition int;
