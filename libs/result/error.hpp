#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relais {

/// What kind of failure this is. The set is closed: one table (error.cpp) maps each kind to an HTTP
/// status, to "try again or dead letter" and to a metric label.
enum class error_kind {
    invalid,         ///< the caller sent something that can never be accepted
    unauthenticated, ///< no credential, or one that is not valid
    forbidden,       ///< a valid credential that may not do this
    not_found,       ///< does not exist, or the caller may not know that it does
    conflict,        ///< the state of the thing does not allow it (now)
    too_large,       ///< over a limit of size
    rate_limited,    ///< over a limit of rate
    unavailable,     ///< something we depend on does not answer; try again
    timeout,         ///< a deadline passed; the effect may or may not have happened
    internal,        ///< a bug, or a state that should not exist
};

/// A failure as a value. `slug` is stable and machine-readable (kebab-case); `detail` is for people
/// and holds no personal data; `pointer` is a JSON pointer (RFC 6901) into the request, or empty.
struct error {
    error_kind kind = error_kind::internal;
    std::string slug;
    std::string detail;
    std::string pointer;
    std::optional<std::chrono::milliseconds> retry_after;

    friend bool operator==(const error&, const error&) = default;
};

/// The HTTP status for a kind (RFC 9110 §15).
int http_status(error_kind kind);

/// Whether the same work may succeed later without anybody changing anything.
bool is_retriable(error_kind kind);

/// The value of the metric label `kind`, and the word used in logs.
std::string_view to_string(error_kind kind);

} // namespace relais
