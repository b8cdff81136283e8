#pragma once

#include "postgres/transaction.hpp"

#include <optional>
#include <string>

namespace relais::pg {

/// A first answer that is kept for repeats of the same request (Idempotency-Key draft-07).
struct stored_answer {
    int status = 0;
    std::string content_type;
    std::string location; ///< may be empty
    std::string body;
};

/// Who repeats what: the scope is the account id, or "anonymous"; the fingerprint is the hash of
/// route and request body.
struct idempotency_key {
    std::string scope;
    std::string key; ///< ≤ 255 characters
    std::string route;
    std::string request_fingerprint;
};

/// Takes the key within the business transaction. nullopt: first time, go on and call
/// keep_answer() before the end. A stored answer: give it out again. A concurrent first request is
/// waited for by the row's lock. Error: `invalid` / "idempotency-key-reused" for another route or
/// request under the same key. Kept 48 hours. For anonymous callers route and fingerprint are part
/// of the key, so nobody sees somebody else's answer.
result<std::optional<stored_answer>> take_key(transaction& tx, const idempotency_key& key,
                                              timestamp now);
void keep_answer(transaction& tx, const idempotency_key& key, const stored_answer& answer);

} // namespace relais::pg
