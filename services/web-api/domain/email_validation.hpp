#pragma once

#include "clock/clock.hpp"

#include <chrono>
#include <string_view>

namespace relais::web_api {

/// What the token in the mail is for (ids/signed_token.hpp); notification derives the same one.
inline constexpr std::string_view email_validation_purpose = "email-validation";

/// Tokens carry whole seconds, so the row does too: both sides derive the same token.
inline timestamp email_validation_expiry(timestamp requested_at) {
    return std::chrono::floor<std::chrono::seconds>(requested_at) + std::chrono::hours(48);
}

} // namespace relais::web_api
