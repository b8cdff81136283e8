#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "postgres/pool.hpp"
#include "web-api/adapters/password_hasher.hpp"
#include "web-api/adapters/profile_cache.hpp"
#include "web-api/domain/cursor.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// A key for one purpose, derived from the one secret that web-api holds (HMAC-SHA-256 of a label),
/// so that what is made for one purpose proves nothing in another.
std::vector<std::uint8_t> derive_key(const config::secret& from, std::string_view label);

/// What handlers work with. Lives as long as the server; used on the loop's thread.
struct dependencies {
    pg::pool& database;
    password_hasher& passwords;
    const clock& time;
    config::secret mail_token_key; ///< 32 bytes
    cursor_codec cursors{derive_key(mail_token_key, "cursor")};
    std::vector<std::uint8_t> request_fingerprint_key =
        derive_key(mail_token_key, "request-fingerprint");
    std::vector<std::uint8_t> address_hash_key = derive_key(mail_token_key, "address-hash");
    std::string media_public_url; ///< variants lie under it, by key
    /// Registering answers no earlier: a new account takes a few statements more than a known one,
    /// and nobody shall learn which it was by timing it. Longer than both usually take.
    std::chrono::milliseconds registration_answer_after{60};
    profile_cache* profiles = nullptr; ///< none: every profile is read from the database
};

} // namespace relais::web_api
