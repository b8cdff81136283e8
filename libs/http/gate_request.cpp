#include "http/gate.hpp"
#include "http/request_rules.hpp"
#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>

namespace relais::http {
namespace {

using detail::line_cutter;
using detail::malformed;
using detail::refusal;
using detail::refuse;

/// What can be said of a start line that has not ended: enough not to wait for the end of what is
/// no HTTP at all (a TLS handshake, a bare CR).
refusal check_unfinished(std::string_view rest, const gate_limits& limits) {
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const auto byte = static_cast<unsigned char>(rest[i]);
        const bool ends = byte == '\r' && i + 1 == rest.size();
        if (!ends && (byte < 0x20 || byte >= 0x7f)) {
            return {malformed, "a start line with a byte that is not allowed"};
        }
    }
    if (rest.size() > limits.target_bytes_max + 32) {
        return {"uri-too-long", "the target is too long"};
    }
    return {};
}

refusal split_start_line(std::string_view line, const gate_limits& limits, request_head& head,
                         std::string_view& target) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return {malformed, "the start line has no three parts"};
    }
    const auto method = line.substr(0, first);
    target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        const bool of_http = version.size() == 8 && version.starts_with("HTTP/") &&
                             version[5] >= '0' && version[5] <= '9' && version[6] == '.' &&
                             version[7] >= '0' && version[7] <= '9';
        return {of_http ? std::string_view("version-not-supported") : malformed,
                "HTTP/1.1 and HTTP/1.0 only"};
    }
    head.version_minor = version.back() - '0';
    if (target.size() > limits.target_bytes_max) {
        return {"uri-too-long", "the target is too long"};
    }
    return detail::read_method(method, head);
}

/// origin-form, absolute-form, or "*" for OPTIONS (RFC 9112 §3.2). An absolute target's host is
/// kept in head.host and replaces the Host field.
refusal read_target(std::string_view target, const gate_limits& limits, request_head& head) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() > scheme.size() && equal_names(target.substr(0, scheme.size()), scheme)) {
            target.remove_prefix(scheme.size());
            const auto end = std::min(target.find_first_of("/?"), target.size());
            head.host = target.substr(0, end);
            target.remove_prefix(end);
            if (!is_valid_host(head.host)) {
                return {malformed, "the target's host is not one"};
            }
            break;
        }
    }
    return detail::read_path(target, limits, head);
}

refusal read_host(request_head& head) {
    field_view* host = nullptr;
    if (const auto refused = detail::find_host(head, host)) {
        return refused;
    }
    if (host == nullptr) {
        return head.version_minor == 0 ? refusal{} : refusal{malformed, "no Host"};
    }
    if (head.host.empty()) {
        head.host = host->value;
    } else {
        host->value = head.host; // RFC 9112 §3.2.2
    }
    return {};
}

refusal interpret(request_head& head) {
    detail::drop_underscored(head);
    detail::framing_fields framed;
    if (const auto refused = detail::read_framing(head.fields, head.version_minor, framed)) {
        return refused;
    }
    if (framed.chunked) {
        head.framing = framing::chunked;
    } else if (framed.length.value_or(0) > 0) {
        head.framing = framing::content_length;
        head.body_bytes = *framed.length;
    }
    head.keep_alive = !framed.close && (head.version_minor == 1 || framed.keep_alive);
    head.upgrade = framed.upgrade && head.version_minor == 1;
    if (const auto refused = read_host(head)) {
        return refused;
    }
    return detail::read_expectation(head);
}

} // namespace

std::optional<std::string_view> request_head::find(std::string_view name) const {
    for (const auto& field : fields) {
        if (equal_names(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

result<std::size_t> parse_request_head(std::string_view buffer, const gate_limits& limits,
                                       request_head& head) {
    detail::reset(head);
    // One empty line before a request is let pass (RFC 9112 §2.2): some clients end a body with
    // one.
    const std::size_t skipped = buffer.starts_with("\r\n") ? 2 : 0;
    line_cutter lines(buffer.substr(skipped));
    std::string_view line;
    std::string_view target;
    switch (lines.next(line)) {
    case line_cutter::outcome::need_more:
        if (buffer == "\r") {
            return 0;
        }
        if (const auto refused = check_unfinished(lines.rest(), limits)) {
            return refuse(refused);
        }
        return 0;
    case line_cutter::outcome::bare_line_feed:
        return refuse({malformed, "a start line that does not end with CR LF"});
    case line_cutter::outcome::line:
        break;
    }
    if (const auto refused = split_start_line(line, limits, head, target)) {
        return refuse(refused);
    }
    if (const auto refused = read_target(target, limits, head)) {
        return refuse(refused);
    }
    bool ended = false;
    if (const auto refused = detail::parse_fields(lines, limits, head.fields, ended)) {
        return refuse(refused);
    }
    const std::size_t used = skipped + lines.position();
    if ((ended ? used : buffer.size()) > limits.head_bytes_max) {
        return refuse({"header-too-large", "the header is too large"});
    }
    if (!ended) {
        return 0;
    }
    if (const auto refused = interpret(head)) {
        return refuse(refused);
    }
    return used;
}

} // namespace relais::http
