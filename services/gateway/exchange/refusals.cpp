#include "gateway/exchange/refusals.hpp"

#include "ids/uuid.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace relais::gateway {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 22> reasons{{
    {"no-healthy-upstream", "no_healthy_upstream"},
    {"introspection-failed", "no_healthy_upstream"},
    {"upstream-timeout", "upstream_timeout"},
    {"upstream-reset", "upstream_reset"},
    {"upstream-write-failed", "upstream_reset"},
    {"upstream-malformed", "upstream_protocol_error"},
    {"upstream-failed", "upstream_error"},
    {"client-gone", "client_disconnect"},
    {"request-timeout", "request_timeout"},
    {"body-too-large", "body_too_large"},
    {"invalid-token", "invalid_token"},
    {"no-route", "no_route"},
    {"method-not-allowed", "method_not_allowed"},
    {"connection-limit", "connection_limit"},
    {"upstream-busy", "upstream_busy"},
    {"rate-limited", "rate_limited"},
    {"too-many-uploads", "too_many_uploads"},
    {"banned", "banned"},
    {"loop-detected", "loop_detected"},
    {"http2-abuse", "http2_abuse"},
    {"plain-http", "protocol_error"},
    {"misdirected", "misdirected"},
}};

/// A request id from outside that may go into logs and headers.
bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.' || c == ':';
    });
}

/// The error as the client shall see it.
error shown(const error& why) {
    error out = why;
    const bool broken_answer = why.slug == "upstream-reset" || why.slug == "upstream-malformed" ||
                               why.slug == "upstream-write-failed";
    if (broken_answer) {
        out.slug = "bad-gateway";
        out.detail = "the service did not give a usable answer";
    }
    if (why.slug == "no-healthy-upstream" || why.slug == "introspection-failed") {
        out.retry_after = std::chrono::seconds(1);
    }
    return out;
}

} // namespace

void begin_record(exchange_record& record, const http::request_head& head) {
    const auto id = head.find("x-request-id");
    record.request_id = id && is_request_id(*id) ? std::string(*id) : make_uuid_v7().text();
    const auto parent = head.find("traceparent");
    const auto trace = parent ? trace::context::parse(*parent) : std::nullopt;
    record.trace = trace ? trace->child() : trace::context::start();
}

error no_route(const route_table& routes, const http::request_head& head) {
    const auto allowed = routes.methods_at(head.path);
    if (allowed.empty()) {
        return {error_kind::not_found, "no-route", "there is nothing at this path", "",
                std::nullopt};
    }
    return {error_kind::invalid, "method-not-allowed",
            fmt::format("allowed: {}", fmt::join(allowed, ", ")), "", std::nullopt};
}

result<void> check_size(const route& found, const http::request_head& head) {
    const bool announced_too_large =
        head.framing == http::framing::content_length && head.body_bytes > found.body_max_bytes;
    if (announced_too_large) {
        return fail(error_kind::too_large, "body-too-large",
                    fmt::format("at most {} bytes", found.body_max_bytes));
    }
    return {};
}

std::string reason_of(const error& why) {
    for (const auto& [slug, reason] : reasons) {
        if (slug == why.slug) {
            return std::string(reason);
        }
    }
    return why.kind == error_kind::invalid || why.kind == error_kind::internal
               ? std::string("protocol_error")
               : std::string(to_string(why.kind));
}

error failure_as_429(const error& why) {
    const bool of_service = why.slug.starts_with("upstream-") || why.slug == "no-healthy-upstream";
    if (!of_service) {
        return why;
    }
    return {error_kind::rate_limited, "try-later", "the service is not available at the moment", "",
            std::chrono::seconds(10)};
}

http::response refusal_answer(const error& why, const exchange_record& record) {
    http::request about;
    about.request_id = record.request_id;
    about.trace = record.trace;
    auto answer = http::problem(shown(why), &about);
    if (why.slug == "client-gone") {
        answer.status = 499; // never seen by anybody but the log
    }
    if (why.slug == "invalid-token") {
        answer.headers.set("WWW-Authenticate", "Bearer");
    }
    constexpr std::string_view allowed = "allowed: ";
    if (why.slug == "method-not-allowed" && why.detail.starts_with(allowed)) {
        answer.headers.set("Allow", why.detail.substr(allowed.size()));
    }
    return answer;
}

std::string_view reason_phrase(int status) {
    const auto reason = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(status)));
    return {reason.data(), reason.size()};
}

} // namespace relais::gateway
