#include "gateway/exchange/refusals.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace relais::gateway {
namespace {

/// A request id from outside that may go into logs and headers.
bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 127 && std::ranges::all_of(text, [](char c) {
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

void begin_record(access_record& record, const http::request_head& head, edge_loop& loop) {
    const auto id = head.find("x-request-id");
    if (id && is_request_id(*id)) {
        record.request_id.assign(*id);
    } else {
        const auto made = loop.make_id(record.start).characters();
        record.request_id.assign({made.data(), made.size()});
    }
    const auto parent = head.find("traceparent");
    const auto trace = parent ? trace::context::parse(*parent) : std::nullopt;
    record.trace = trace ? trace->child() : trace::context::start();
    record.method.assign(head.method);
    record.set_target(head.path);
    record.user_agent.assign(head.find("user-agent").value_or(""));
    record.protocol = head.version_major == 2   ? http_protocol::http_2
                      : head.version_minor == 0 ? http_protocol::http_1_0
                                                : http_protocol::http_1_1;
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

error nothing_there() {
    return {error_kind::not_found, "not-found", "there is nothing at this path", "", std::nullopt};
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

error failure_as_429(const error& why) {
    const bool of_service = why.slug.starts_with("upstream-") || why.slug == "no-healthy-upstream";
    if (!of_service) {
        return why;
    }
    return {error_kind::rate_limited, "try-later", "the service is not available at the moment", "",
            std::chrono::seconds(10)};
}

http::response refusal_answer(const error& why, const access_record& record) {
    http::request about;
    about.request_id = record.request_id.view();
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
