-- How long an event is remembered counts from when we heard of it. The provider's time may lie
-- anywhere: an event dated long ago would be forgotten at once, and its repeat would count again.
alter table provider_event add column kept_at timestamptz not null default now();
create index provider_event_kept on provider_event (kept_at);
drop index provider_event_age;
