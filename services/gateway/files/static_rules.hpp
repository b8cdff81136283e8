#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relais::gateway {

/// A directory that a route serves.
struct static_rules {
    std::string directory;
    std::string prefix;        ///< of the route: what follows it is the path below the directory
    std::string index;         ///< served for a directory; empty: 404
    std::string fallback;      ///< for a path without a dot in its last segment that names nothing
    std::string not_found;     ///< the body of a 404; both as path_of() makes them, empty: none
    std::string cache_control; ///< empty: none

    friend bool operator==(const static_rules&, const static_rules&) = default;
};

/// The request path under which rules name a file of theirs: one that no client can send, since
/// runs of slashes are made one.
std::string path_of(const std::string& prefix, const std::string& name);

/// The path below a route's prefix of a normalised request path: decoded, without slashes at either
/// end, "" for the prefix itself. Nothing for one that no file here may have: not UTF-8, with
/// control characters or a backslash, or with a segment that begins with a dot (but for a first one
/// that is .well-known).
std::optional<std::string> path_below(std::string_view prefix, std::string_view path);

/// By the name's extension; application/octet-stream for what is not known.
std::string_view content_type_of(std::string_view name);

} // namespace relais::gateway
