#pragma once

#include "http/message.hpp"
#include "postgres/idempotency.hpp"
#include "web-api/handlers/dependencies.hpp"

#include <functional>
#include <optional>

namespace relais::web_api {

/// The request's Idempotency-Key with all that makes a repeat the same request; nullopt when it has
/// none. The fingerprint is keyed, because bodies hold passwords and a plain hash of one could be
/// guessed from a stolen database. Error: `invalid` / "invalid-idempotency-key".
result<std::optional<pg::idempotency_key>> idempotency_key_of(const dependencies& with,
                                                              const http::request& request);

/// Does the work, or gives out again what it answered the first time (with Idempotent-Replayed:
/// true). The answer is kept in the same transaction as the work; an error is not kept, so that a
/// repeat tries again.
result<http::response> once(pg::transaction& tx, const std::optional<pg::idempotency_key>& key,
                            timestamp now, const std::function<result<http::response>()>& work);

} // namespace relais::web_api
