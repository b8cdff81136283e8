#pragma once

#include "http/gate.hpp"

// Internal: what the gates for requests and answers share.
namespace relais::http::detail {

/// Why bytes were refused; empty slug: they were not.
struct refusal {
    std::string_view slug;
    std::string_view detail;

    explicit operator bool() const {
        return !slug.empty();
    }
};

inline constexpr std::string_view malformed = "malformed-request";

/// Cuts a buffer into lines that end with CR LF and nothing else.
class line_cutter {
public:
    explicit line_cutter(std::string_view buffer) : buffer_(buffer) {}

    enum class outcome { line, need_more, bare_line_feed };

    outcome next(std::string_view& line);

    /// Bytes of all lines so far.
    std::size_t position() const {
        return at_;
    }

    std::string_view rest() const {
        return buffer_.substr(at_);
    }

private:
    std::string_view buffer_;
    std::size_t at_ = 0;
};

/// "Name: value" → field. Refuses folded lines, blanks before the colon, names and values with
/// bytes that may not stand there.
refusal parse_field(std::string_view line, const gate_limits& limits, field_view& field);

/// A field's name and value, blanks around the value gone.
refusal check_field(const field_view& field, const gate_limits& limits);

/// Reads fields up to the empty line. `ended` says whether it was there.
refusal parse_fields(line_cutter& lines, const gate_limits& limits, std::vector<field_view>& fields,
                     bool& ended);

/// Digits only, no leading zero, fits 63 bits.
bool parse_length(std::string_view text, std::uint64_t& value);

/// What the framing fields say, before it is known whose message it is.
struct framing_fields {
    bool chunked = false;
    std::optional<std::uint64_t> length;
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;
};

refusal read_framing(const std::vector<field_view>& fields, int version_minor, framing_fields& out);

} // namespace relais::http::detail
