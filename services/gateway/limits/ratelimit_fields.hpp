#pragma once

#include "gateway/limits/gcra.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace relais::gateway {

/// One limit that a request came under, and what it said.
struct limit_report {
    std::string_view name; ///< as is_limit_name() allows
    const rate* allowed = nullptr;
    limit_decision decision;
};

inline constexpr std::string_view ratelimit_policy_field = "RateLimit-Policy";
inline constexpr std::string_view ratelimit_field = "RateLimit";
inline constexpr std::string_view retry_after_field = "Retry-After";

/// Whether a configured name may be shown: 1 to 64 lower-case letters, digits and "-".
bool is_limit_name(std::string_view name);

/// The one a client should mind: of those that refuse the one that does so longest, else the one
/// with the least left. nullptr when there is none.
const limit_report* tightest(std::span<const limit_report> reports);

// The values of the three fields, without name and CRLF, appended: nothing is allocated but what
// the string needs to grow. The source of the first two is draft-ietf-httpapi-ratelimit-headers-10,
// structured fields (RFC 9651); for no reports nothing is written, and the field is left out.

/// `"ip";q=100;w=60, "account";q=1000;w=3600;relais-burst=50`: the quota of each limit and its
/// window in seconds; the burst where it is not the quota.
void append_ratelimit_policy(std::string& out, std::span<const limit_report> reports);

/// `"ip";r=7;t=1` of the tightest: r units are left, in t seconds there are more (rounded up; 0
/// when the allowance is full). When it refuses, t is what Retry-After says, as §5 asks for.
void append_ratelimit(std::string& out, std::span<const limit_report> reports);

/// Whole seconds, rounded up, 1 to 86,400: the day stands for limit_decision::never, too.
void append_retry_after(std::string& out, std::chrono::nanoseconds retry_after);

} // namespace relais::gateway
