#pragma once

#include "http/message.hpp"
#include "postgres/idempotency.hpp"

#include <functional>
#include <optional>

namespace relais::upload {

/// The request's Idempotency-Key with what makes a repeat the same request; nullopt when it has
/// none. The request must have a caller. Error: `invalid` / "invalid-idempotency-key".
result<std::optional<pg::idempotency_key>> idempotency_key_of(const http::request& request);

/// Does the work, or gives out again what it answered the first time (with Idempotent-Replayed:
/// true). The answer is kept in the transaction of the work; an error is not kept.
result<http::response> once(pg::transaction& tx, const std::optional<pg::idempotency_key>& key,
                            timestamp now, const std::function<result<http::response>()>& work);

} // namespace relais::upload
