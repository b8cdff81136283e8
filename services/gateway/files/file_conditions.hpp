#pragma once

#include "http/gate.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relais::gateway {

/// What a client may say of the copy it has, or the part it wants; empty: nothing. Views into the
/// request.
struct file_conditions {
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view if_modified_since;
    std::string_view if_unmodified_since;
    std::string_view if_range;
    std::string_view range;

    static file_conditions of(const http::request_head& head);
};

/// What there is.
struct file_state {
    std::string_view etag; ///< with its quotes; a strong one
    std::chrono::sys_seconds modified;
    std::uint64_t bytes = 0;
};

struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    friend bool operator==(const byte_range&, const byte_range&) = default;
};

enum class file_outcome : std::uint8_t {
    whole,               ///< 200
    part,                ///< 206
    not_modified,        ///< 304
    precondition_failed, ///< 412
    unsatisfiable        ///< 416
};

struct file_judgement {
    file_outcome what = file_outcome::whole;
    byte_range part;
};

/// Which answer a GET or HEAD gets (RFC 9110 §13.2.2, §14.2). Several ranges at once get the whole:
/// a server may ignore Range, and parts in one answer help nobody but those who want to make it
/// costly.
file_judgement judge(const file_conditions& asked, const file_state& there, bool is_get);

/// A Range of one part. Nothing: it is none, or not understood, and is ignored. A count of 0: there
/// is nothing at that place.
std::optional<byte_range> parse_range(std::string_view value, std::uint64_t bytes);

/// "Sun, 06 Nov 1994 08:49:37 GMT"; nothing for other forms, which nobody has sent for decades.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

/// Whether a list of entity tags has this one. `weakly`: W/"a" and "a" are the same.
bool matches_etag(std::string_view list, std::string_view etag, bool weakly);

} // namespace relais::gateway
