#include "gateway/proxy/heads.hpp"

#include "clock/rfc3339.hpp"
#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace relais::gateway {
namespace {

/// Fields of one hop (RFC 9110 §7.6.1), and framing, which is never forwarded but written anew.
constexpr std::array<std::string_view, 12> hop_by_hop{"connection",
                                                      "keep-alive",
                                                      "proxy-connection",
                                                      "proxy-authenticate",
                                                      "proxy-authorization",
                                                      "te",
                                                      "trailer",
                                                      "transfer-encoding",
                                                      "upgrade",
                                                      "content-length",
                                                      "expect",
                                                      "http2-settings"};

/// Fields a client may not bring: we set them, or nobody does. (Names with '_' never pass the
/// gate.)
constexpr std::array<std::string_view, 17> ours_alone{"x-request-id",
                                                      "traceparent",
                                                      "tracestate",
                                                      "forwarded",
                                                      "x-forwarded-for",
                                                      "x-forwarded-proto",
                                                      "x-forwarded-host",
                                                      "x-forwarded-port",
                                                      "x-forwarded-prefix",
                                                      "x-forwarded-server",
                                                      "x-forwarded-method",
                                                      "x-forwarded-uri",
                                                      "x-real-ip",
                                                      "cf-connecting-ip",
                                                      "true-client-ip",
                                                      "x-client-ip",
                                                      "via"};

constexpr std::string_view internal_prefix = "x-relais-";

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
    return std::ranges::any_of(names, [name](auto each) { return http::equal_names(each, name); });
}

bool is_internal(std::string_view name) {
    return name.size() > internal_prefix.size() &&
           http::equal_names(name.substr(0, internal_prefix.size()), internal_prefix);
}

/// Whether one of the Connection fields names this field.
bool is_nominated(const std::vector<http::field_view>& fields, std::string_view name) {
    return std::ranges::any_of(fields, [name](const auto& field) {
        return http::equal_names(field.name, "connection") && http::list_has(field.value, name);
    });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

void append_framing(std::string& out, http::framing framing, std::uint64_t bytes) {
    if (framing == http::framing::content_length) {
        fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", bytes);
    } else if (framing == http::framing::chunked) {
        out += "Transfer-Encoding: chunked\r\n";
    }
}

bool may_have_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

bool goes_upstream(const http::request_head& head, const http::field_view& field,
                   const forwarding& about) {
    const auto name = field.name;
    const bool dropped_authorization =
        !about.keep_authorization && http::equal_names(name, "authorization");
    return !http::equal_names(name, "host") && !dropped_authorization &&
           !contains(hop_by_hop, name) && !contains(ours_alone, name) && !is_internal(name) &&
           !is_nominated(head.fields, name);
}

} // namespace

std::string request_head_for_upstream(const http::request_head& from_client,
                                      const forwarding& about) {
    std::string out;
    out.reserve(1024);
    out += from_client.method;
    out += ' ';
    out += from_client.path;
    if (from_client.has_query) {
        out += '?';
        out += from_client.query;
    }
    out += " HTTP/1.1\r\n";
    append_field(out, "Host", from_client.host);
    for (const auto& field : from_client.fields) {
        if (goes_upstream(from_client, field, about)) {
            append_field(out, field.name, field.value);
        }
    }
    append_field(out, "Via", from_client.version_minor == 0 ? "1.0 relais" : "1.1 relais");
    append_field(out, "X-Forwarded-For", about.peer_address);
    append_field(out, "X-Forwarded-Proto", "http");
    append_field(out, "X-Forwarded-Host", from_client.host);
    append_field(out, "X-Request-Id", about.request_id);
    append_field(out, "traceparent", about.traceparent);
    if (about.deadline.count() > 0) {
        append_field(out, "X-Relais-Deadline-Ms", fmt::to_string(about.deadline.count()));
    }
    if (!about.identity.empty()) {
        append_field(out, "X-Relais-Identity", about.identity);
    }
    if (from_client.framing == http::framing::none && may_have_body(from_client.method)) {
        append_framing(out, http::framing::content_length, 0);
    } else {
        append_framing(out, from_client.framing, from_client.body_bytes);
    }
    out += "\r\n";
    return out;
}

answer_framing framing_for_client(const http::response_head& answer,
                                  const http::request_head& asked) {
    if (answer.framing == http::framing::none || answer.framing == http::framing::content_length) {
        return {answer.framing, answer.body_bytes};
    }
    return {asked.version_minor == 0 ? http::framing::until_close : http::framing::chunked, 0};
}

std::string response_head_for_client(const http::response_head& answer,
                                     const http::request_head& asked, const answer_framing& body,
                                     std::string_view request_id, bool keep_alive, timestamp now) {
    std::string out;
    out.reserve(1024);
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    bool has_date = false;
    for (const auto& field : answer.fields) {
        const auto name = field.name;
        has_date = has_date || http::equal_names(name, "date");
        const bool dropped =
            contains(hop_by_hop, name) || is_internal(name) || is_nominated(answer.fields, name) ||
            http::equal_names(name, "x-request-id") || http::equal_names(name, "server");
        if (!dropped) {
            append_field(out, name, field.value);
        }
    }
    if (!has_date) {
        append_field(out, "Date", to_http_date(now));
    }
    append_field(out, "X-Request-Id", request_id);
    if (body.framing == http::framing::none && answer.content_length &&
        (asked.method == "HEAD" || answer.status == 304)) {
        append_framing(out, http::framing::content_length, *answer.content_length);
    } else if (body.framing == http::framing::none && answer.status != 204 &&
               answer.status != 304) {
        append_framing(out, http::framing::content_length, 0);
    } else {
        append_framing(out, body.framing, body.body_bytes);
    }
    if (!keep_alive) {
        append_field(out, "Connection", "close");
    }
    out += "\r\n";
    return out;
}

} // namespace relais::gateway
