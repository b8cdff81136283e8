-- First answers, kept for repeats of the same request (Idempotency-Key).
-- `discriminator` is empty for an account, whose key alone decides; for anonymous callers it holds
-- route and fingerprint, so that nobody is given somebody else's answer.
create table idempotency_key (
    scope text not null,
    key text not null check (length(key) between 1 and 255),
    discriminator text not null,
    route text not null,
    request_fingerprint text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    status int,
    content_type text,
    location text,
    body bytea,
    primary key (scope, key, discriminator)
);

create index idempotency_key_expiry on idempotency_key (expires_at);
