#pragma once

#include "ids/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relais {

/// What a token in a mail proves: which row it belongs to and until when it may be used.
struct token_claims {
    uuid id;
    std::chrono::sys_seconds expires_at;

    friend bool operator==(const token_claims&, const token_claims&) = default;
};

/// A token that is derived, never stored: base64url(id ‖ expiry ‖ HMAC-SHA-256(key, id ‖ purpose ‖
/// expiry)). id is 16 bytes, expiry 8 bytes big-endian Unix seconds, the MAC 32 bytes. Whoever
/// holds the key can make the token again from an event; single use is the row's matter.
std::string sign_token(std::span<const std::uint8_t> key, std::string_view purpose,
                       const token_claims& claims);

/// Errors: `invalid` / "invalid-token" (wrong form, key or purpose), `invalid` / "expired-token".
result<token_claims> verify_token(std::span<const std::uint8_t> key, std::string_view purpose,
                                  std::string_view token, std::chrono::sys_seconds now);

} // namespace relais
