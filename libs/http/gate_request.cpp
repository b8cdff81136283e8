#include "http/gate.hpp"
#include "http/gate_lines.hpp"
#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>

namespace relais::http {
namespace {

using detail::line_cutter;
using detail::malformed;
using detail::refusal;

// TRACE and CONNECT have no place in front of applications; others nobody here understands.
constexpr std::array<std::string_view, 7> methods{"GET",   "POST",   "HEAD",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};

std::unexpected<error> refuse(const refusal& why) {
    return fail(error_kind::invalid, std::string(why.slug), std::string(why.detail));
}

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
    head.method = line.substr(0, first);
    target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(head.method)) {
        return {malformed, "the method has a byte that is not allowed"};
    }
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
    const auto* const known = std::ranges::find(methods, head.method);
    if (known == methods.end()) {
        return {"not-implemented", "the method is not known here"};
    }
    head.method = *known; // outlives the buffer
    return {};
}

/// origin-form, absolute-form, or "*" for OPTIONS (RFC 9112 §3.2). An absolute target's host is
/// kept in head.host and replaces the Host field.
refusal read_target(std::string_view target, request_head& head) {
    if (target == "*" && head.method == "OPTIONS") {
        head.path = "*";
        return {};
    }
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
    const auto question = std::min(target.find('?'), target.size());
    head.has_query = question < target.size();
    head.query = head.has_query ? target.substr(question + 1) : std::string_view();
    std::string_view path = target.substr(0, question);
    if (path.empty() && !head.host.empty()) {
        path = "/"; // "http://host?x"
    }
    if (!normalise_path(path, head.path)) {
        return {malformed, "the target's path is not one"};
    }
    if (!is_valid_query(head.query)) {
        return {malformed, "the target's query has a byte or an escape that is not allowed"};
    }
    return {};
}

refusal read_host(request_head& head) {
    field_view* host = nullptr;
    for (auto& field : head.fields) {
        if (equal_names(field.name, "host")) {
            if (host != nullptr) {
                return {malformed, "more than one Host"};
            }
            host = &field;
        }
    }
    if (host == nullptr) {
        return head.version_minor == 0 ? refusal{} : refusal{malformed, "no Host"};
    }
    if (!is_valid_host(host->value)) {
        return {malformed, "a Host that is not one"};
    }
    if (head.host.empty()) {
        head.host = host->value;
    } else {
        host->value = head.host; // RFC 9112 §3.2.2
    }
    return {};
}

refusal read_expectation(request_head& head) {
    for (const auto& [name, value] : head.fields) {
        if (equal_names(name, "expect")) {
            if (!equal_names(value, "100-continue")) {
                return {"expectation-failed", "100-continue is the only expectation"};
            }
            head.expect_continue = head.version_minor == 1; // RFC 9110 §10.1.1
        }
    }
    return {};
}

refusal interpret(request_head& head) {
    std::erase_if(head.fields, [](const field_view& field) {
        return field.name.find('_') != std::string_view::npos;
    });
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
    return read_expectation(head);
}

void reset(request_head& head) {
    auto path = std::move(head.path);
    auto fields = std::move(head.fields);
    path.clear();
    fields.clear();
    head = request_head{};
    head.path = std::move(path);
    head.fields = std::move(fields);
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
    reset(head);
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
    if (const auto refused = read_target(target, head)) {
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
