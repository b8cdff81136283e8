#include "postgres/idempotency.hpp"

#include <stdexcept>

namespace relais::pg {
namespace {

constexpr std::chrono::hours kept_for{48};

std::string discriminator_of(const idempotency_key& key) {
    return key.scope == "anonymous" ? key.route + " " + key.request_fingerprint : "";
}

/// Inserts the key, or takes over one that has expired; waits for a concurrent first request. Each
/// new key also removes a few expired ones, which keeps the table small without a task of its own.
constexpr std::string_view take_sql =
    "with expired as ("
    "  delete from idempotency_key where ctid in ("
    "    select ctid from idempotency_key where expires_at <= $6::timestamptz"
    "      and (scope, key, discriminator) <> ($1, $2, $3)"
    "    order by expires_at limit 10 for update skip locked)) "
    "insert into idempotency_key as k"
    " (scope, key, discriminator, route, request_fingerprint, created_at, expires_at)"
    " values ($1, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz)"
    " on conflict (scope, key, discriminator) do update"
    " set route = excluded.route, request_fingerprint = excluded.request_fingerprint,"
    "     created_at = excluded.created_at, expires_at = excluded.expires_at,"
    "     status = null, content_type = null, location = null, body = null"
    " where k.expires_at <= excluded.created_at"
    " returning 1";

constexpr std::string_view read_sql =
    "select route, request_fingerprint, status, content_type, location, body"
    " from idempotency_key where scope = $1 and key = $2 and discriminator = $3";

constexpr std::string_view keep_sql =
    "update idempotency_key set status = $4, content_type = $5, location = $6, body = $7"
    " where scope = $1 and key = $2 and discriminator = $3";

} // namespace

result<std::optional<stored_answer>> take_key(transaction& tx, const idempotency_key& key,
                                              timestamp now) {
    const auto discriminator = discriminator_of(key);
    const auto taken = tx.exec(take_sql, {key.scope, key.key, discriminator, key.route,
                                          key.request_fingerprint, now, now + kept_for});
    if (!taken.empty()) {
        return std::nullopt;
    }
    const auto found = tx.exec(read_sql, {key.scope, key.key, discriminator});
    if (found.empty()) {
        // It expired and was removed between the two statements.
        return fail(error_kind::unavailable, "serialization", "the idempotency key just expired");
    }
    const auto first = found.front();
    if (first.view(0) != key.route || first.view(1) != key.request_fingerprint) {
        return fail(error_kind::invalid, "idempotency-key-reused",
                    "this Idempotency-Key was used for another request");
    }
    if (first.is_null(2)) {
        throw std::logic_error("a request took an idempotency key and kept no answer");
    }
    return stored_answer{.status = static_cast<int>(first.integer(2)),
                         .content_type = first.text(3),
                         .location = first.text(4),
                         .body = first.bytes(5)};
}

void keep_answer(transaction& tx, const idempotency_key& key, const stored_answer& answer) {
    tx.exec(keep_sql, {key.scope, key.key, discriminator_of(key), answer.status,
                       answer.content_type, answer.location, parameter::bytes(answer.body)});
}

} // namespace relais::pg
