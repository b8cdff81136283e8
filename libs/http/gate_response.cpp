#include "http/gate.hpp"
#include "http/gate_lines.hpp"
#include "http/tokens.hpp"

#include <algorithm>

namespace relais::http {
namespace {

using detail::line_cutter;
using detail::malformed;
using detail::refusal;

std::unexpected<error> refuse(const refusal& why) {
    return fail(error_kind::internal, "malformed-answer", std::string(why.detail));
}

/// "HTTP/1.1 200 OK"; the space and the reason may be missing.
refusal read_status_line(std::string_view line, response_head& head) {
    if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) {
        return {malformed, "the status line does not begin with HTTP/1.1 or HTTP/1.0"};
    }
    head.version_minor = line[7] - '0';
    line.remove_prefix(9);
    const auto digits = line.substr(0, 3);
    const bool numeric = digits.size() == 3 &&
                         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    if (!numeric || (line.size() > 3 && line[3] != ' ')) {
        return {malformed, "the status is not a number of three digits"};
    }
    head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (head.status < 100 || head.status > 599) {
        return {malformed, "the status is not between 100 and 599"};
    }
    head.reason = line.size() > 4 ? line.substr(4) : std::string_view();
    if (!is_field_value(head.reason)) {
        return {malformed, "the reason has a control character"};
    }
    return {};
}

bool never_has_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

refusal interpret(std::string_view request_method, response_head& head) {
    detail::framing_fields framed;
    if (const auto refused = detail::read_framing(head.fields, head.version_minor, framed)) {
        return refused;
    }
    head.content_length = framed.length;
    head.keep_alive = !framed.close && (head.version_minor == 1 || framed.keep_alive);
    if (never_has_body(head.status) || request_method == "HEAD") {
        head.framing = framing::none;
    } else if (framed.chunked) {
        head.framing = framing::chunked;
    } else if (framed.length) {
        head.framing = *framed.length == 0 ? framing::none : framing::content_length;
        head.body_bytes = *framed.length;
    } else {
        head.framing = framing::until_close;
        head.keep_alive = false;
    }
    return {};
}

void reset(response_head& head) {
    auto fields = std::move(head.fields);
    fields.clear();
    head = response_head{};
    head.fields = std::move(fields);
}

} // namespace

std::optional<std::string_view> response_head::find(std::string_view name) const {
    for (const auto& field : fields) {
        if (equal_names(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

result<std::size_t> parse_response_head(std::string_view buffer, const gate_limits& limits,
                                        std::string_view request_method, response_head& head) {
    reset(head);
    line_cutter lines(buffer);
    std::string_view line;
    const auto first = lines.next(line);
    const bool too_large = buffer.size() > limits.head_bytes_max;
    if (first == line_cutter::outcome::bare_line_feed) {
        return refuse({malformed, "a status line that does not end with CR LF"});
    }
    constexpr std::string_view beginning = "HTTP/1.";
    const auto overlap = std::min(buffer.size(), beginning.size());
    if (buffer.substr(0, overlap) != beginning.substr(0, overlap)) {
        return refuse({malformed, "not HTTP/1"});
    }
    if (first == line_cutter::outcome::need_more) {
        return too_large ? result<std::size_t>(refuse({malformed, "the header is too large"})) : 0;
    }
    if (const auto refused = read_status_line(line, head)) {
        return refuse(refused);
    }
    bool ended = false;
    if (const auto refused = detail::parse_fields(lines, limits, head.fields, ended)) {
        return refuse(refused);
    }
    if (ended ? lines.position() > limits.head_bytes_max : too_large) {
        return refuse({malformed, "the header is too large"});
    }
    if (!ended) {
        return 0;
    }
    if (const auto refused = interpret(request_method, head)) {
        return refuse(refused);
    }
    return lines.position();
}

} // namespace relais::http
