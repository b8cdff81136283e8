#pragma once

#include "postgres/transaction.hpp"
#include "web-api/domain/credential.hpp"
#include "web-api/domain/login_throttle.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

struct session {
    session_id id;
    account_id account;
    timestamp created_at;
    session_life life;
};

void insert_session(pg::transaction& tx, const session& value,
                    const std::vector<std::uint8_t>& token_hash);

/// Only sessions that may be used: neither revoked nor expired.
std::optional<session> find_session(pg::transaction& tx, session_id id, timestamp now);
std::optional<session> find_session(pg::transaction& tx,
                                    const std::vector<std::uint8_t>& token_hash, timestamp now);

void touch_session(pg::transaction& tx, session_id id, timestamp now);

/// False when it was revoked before.
bool revoke_session(pg::transaction& tx, session_id id, timestamp now);

struct api_key {
    api_key_id id;
    std::vector<std::string> roles;
    timestamp created_at;
    std::optional<timestamp> expires_at;
};

/// Only keys that may be used.
std::optional<api_key> find_api_key(pg::transaction& tx,
                                    const std::vector<std::uint8_t>& token_hash, timestamp now);

/// The attempts with an address (0 when there were none), locked until the transaction ends.
login_attempts lock_login_attempts(pg::transaction& tx,
                                   const std::vector<std::uint8_t>& address_hash, timestamp now);
void set_login_attempts(pg::transaction& tx, const std::vector<std::uint8_t>& address_hash,
                        const login_attempts& value);
void clear_login_attempts(pg::transaction& tx, const std::vector<std::uint8_t>& address_hash);

} // namespace relais::web_api::store
