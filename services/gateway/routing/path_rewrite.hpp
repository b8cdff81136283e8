#pragma once

#include <string>
#include <string_view>

namespace relais::gateway {

/// What a service gets in place of the client's path. Both are whole segments, "/v1/shop".
struct path_rewrite {
    std::string strip; ///< a beginning of the route's prefix; empty: nothing
    std::string add;   ///< before what is left

    bool empty() const {
        return strip.empty() && add.empty();
    }

    /// For a normalised path that begins with `strip`; never empty.
    std::string apply(std::string_view path) const;
};

/// Paths that services serve to each other only.
bool is_internal(std::string_view path);

} // namespace relais::gateway
