#include "http/gate_lines.hpp"

#include "http/tokens.hpp"

#include <algorithm>
#include <charconv>

namespace relais::http::detail {
namespace {

/// With more than one coding, or one twice, some reader takes the body for chunked and another does
/// not. A single coding we do not know is only not implemented.
refusal read_transfer_encoding(std::string_view value, framing_fields& out) {
    if (value.find(',') != std::string_view::npos) {
        return {malformed, "more than one transfer coding"};
    }
    if (!equal_names(value, "chunked")) {
        return {"not-implemented", "a transfer coding other than chunked"};
    }
    out.chunked = true;
    return {};
}

void read_connection(std::string_view value, framing_fields& out) {
    std::string_view member;
    while (next_list_member(value, member)) {
        out.close = out.close || equal_names(member, "close");
        out.keep_alive = out.keep_alive || equal_names(member, "keep-alive");
        out.upgrade = out.upgrade || equal_names(member, "upgrade");
    }
}

} // namespace

line_cutter::outcome line_cutter::next(std::string_view& line) {
    const auto end = buffer_.find('\n', at_);
    if (end == std::string_view::npos) {
        return outcome::need_more;
    }
    if (end == at_ || buffer_[end - 1] != '\r') {
        return outcome::bare_line_feed;
    }
    line = buffer_.substr(at_, end - 1 - at_);
    at_ = end + 1;
    return outcome::line;
}

refusal parse_field(std::string_view line, const gate_limits& limits, field_view& field) {
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t') {
        return {malformed, "a folded field line"};
    }
    if (colon == std::string_view::npos) {
        return {malformed, "a field line without a colon"};
    }
    field.name = line.substr(0, colon);
    field.value = trim_blanks(line.substr(colon + 1));
    return check_field(field, limits);
}

refusal check_field(const field_view& field, const gate_limits& limits) {
    if (field.name.size() > limits.name_bytes_max) {
        return {"header-too-large", "a field's name is too long"};
    }
    if (!is_token(field.name)) {
        return {malformed, "a field name with a byte that is not allowed"};
    }
    if (!is_field_value(field.value)) {
        return {malformed, "a field value with a control character"};
    }
    return {};
}

refusal parse_fields(line_cutter& lines, const gate_limits& limits, std::vector<field_view>& fields,
                     bool& ended) {
    ended = false;
    std::string_view line;
    while (true) {
        switch (lines.next(line)) {
        case line_cutter::outcome::need_more:
            return {};
        case line_cutter::outcome::bare_line_feed:
            return {malformed, "a line that does not end with CR LF"};
        case line_cutter::outcome::line:
            break;
        }
        if (line.empty()) {
            ended = true;
            return {};
        }
        field_view field;
        if (const auto refused = parse_field(line, limits, field)) {
            return refused;
        }
        if (fields.size() == limits.fields_max) {
            return {"header-too-large", "too many fields"};
        }
        fields.push_back(field);
    }
}

bool parse_length(std::string_view text, std::uint64_t& value) {
    constexpr std::size_t digits_max = 18; // below 2^63
    const bool plain = !text.empty() && text.size() <= digits_max &&
                       std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
                       (text.size() == 1 || text.front() != '0');
    if (plain) {
        std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return plain;
}

refusal read_framing(const std::vector<field_view>& fields, int version_minor,
                     framing_fields& out) {
    std::optional<std::string_view> coding;
    for (const auto& [name, value] : fields) {
        if (equal_names(name, "transfer-encoding")) {
            if (coding) {
                return {malformed, "more than one Transfer-Encoding"};
            }
            coding = value;
        } else if (equal_names(name, "content-length")) {
            std::uint64_t length = 0;
            if (out.length || !parse_length(value, length)) {
                return {malformed, out.length ? "more than one Content-Length"
                                              : "a Content-Length that is no plain number"};
            }
            out.length = length;
        } else if (equal_names(name, "connection")) {
            read_connection(value, out);
        }
    }
    if (coding && out.length) {
        return {malformed, "both Transfer-Encoding and Content-Length"};
    }
    if (coding && version_minor == 0) {
        return {malformed, "Transfer-Encoding in HTTP/1.0"};
    }
    if (coding) {
        return read_transfer_encoding(*coding, out);
    }
    return {};
}

} // namespace relais::http::detail
