#pragma once

#include "clock/clock.hpp"
#include "ids/opaque_token.hpp"

#include <string_view>

namespace relais::web_api {

/// What a signed-in person may do, as the gateway's signed identity says it. API keys have roles of
/// their own ("marketing") and are nobody's account, so they lack it.
inline constexpr std::string_view member_role = "member";

/// How long a session lives: 14 days without use, 90 days in all.
struct session_life {
    timestamp last_seen_at;
    timestamp absolute_expires_at;

    static session_life begin(timestamp now);

    /// The end as it stands: the earlier of both limits.
    timestamp expires_at() const;

    /// Use moves the idle limit; written at most once an hour, so that reading stays reading.
    bool worth_touching(timestamp now) const;
};

} // namespace relais::web_api
