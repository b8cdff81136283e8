#pragma once

#include "http/gate.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace relais::gateway {

/// What Cache-Control says (RFC 9111 §5.2, RFC 5861). Arguments that name fields are not looked at:
/// no-cache="x" is taken as no-cache. A number that is none counts as 0.
struct cache_directives {
    bool no_store = false;
    bool no_cache = false;
    bool is_private = false;
    bool must_revalidate = false; ///< proxy-revalidate and s-maxage mean that, too
    bool only_if_cached = false;
    std::optional<std::chrono::seconds> max_age;
    std::optional<std::chrono::seconds> s_maxage;
    std::optional<std::chrono::seconds> stale_while_revalidate;
    std::optional<std::chrono::seconds> stale_if_error;

    static cache_directives of(const std::vector<http::field_view>& fields);
};

/// Seconds as Age and max-age have them, at most 2^31.
std::optional<std::chrono::seconds> parse_delta_seconds(std::string_view text);

} // namespace relais::gateway
