#include "http/json_writer.hpp"
#include "http/message.hpp"

#include <array>
#include <cassert>
#include <utility>

namespace relais::http {
namespace {

constexpr std::string_view type_prefix = "https://relais.example/problems/";

/// Slugs of the protocol have a status of their own; all others get the status of their kind. RFC
/// 9110 would allow 501 and 505 for codings and versions that we do not speak; but 5xx says that we
/// failed, which is not for whoever sends nonsense to decide. A method that is not known is a
/// sound request, and answered as §9.1 wants: whoever probes for it expects 501.
constexpr std::array<std::pair<std::string_view, int>, 21> protocol_statuses{{
    {"malformed-json", 400},     {"malformed-request", 400},      {"malformed-parameter", 400},
    {"repeated-parameter", 400}, {"method-not-allowed", 405},     {"not-acceptable", 406},
    {"request-timeout", 408},    {"length-required", 411},        {"precondition-failed", 412},
    {"uri-too-long", 414},       {"unsupported-media-type", 415}, {"expectation-failed", 417},
    {"misdirected", 421},        {"precondition-required", 428},  {"header-too-large", 431},
    {"not-implemented", 400},    {"unknown-method", 501},         {"plain-http", 400},
    {"bad-gateway", 502},        {"version-not-supported", 400},  {"loop-detected", 508},
}};

int status_of(const error& failed) {
    for (const auto& [slug, status] : protocol_statuses) {
        if (slug == failed.slug) {
            return status;
        }
    }
    return http_status(failed.kind);
}

/// "state-conflict" → "State conflict".
std::string title_of(std::string_view slug) {
    std::string title(slug);
    for (char& c : title) {
        c = c == '-' ? ' ' : c;
    }
    if (!title.empty() && title.front() >= 'a' && title.front() <= 'z') {
        title.front() = static_cast<char>(title.front() - ('a' - 'A'));
    }
    return title;
}

/// What went wrong inside is for the log, not for the caller.
std::string_view shown_detail(const error& failed) {
    return failed.kind == error_kind::internal ? "The request could not be completed."
                                               : std::string_view(failed.detail);
}

/// What somebody knows about it, or a second where trying again helps: outages end without notice.
std::optional<std::chrono::milliseconds> retry_after_of(const error& failed, int status) {
    const bool passes = status == 503 || status == 504;
    return passes && !failed.retry_after ? std::chrono::seconds(1) : failed.retry_after;
}

void write_errors(json_writer& json, const std::vector<error>& failed) {
    json.begin_array("errors");
    for (const auto& each : failed) {
        json.begin_object()
            .member("pointer", each.pointer)
            .member("detail", shown_detail(each))
            .member("slug", each.slug)
            .end_object();
    }
    json.end_array();
}

} // namespace

response problem(const std::vector<error>& failed, const request* about) {
    assert(!failed.empty() && "a problem document without a problem");
    const error& first = failed.front();
    const int status = status_of(first);
    json_writer json;
    json.begin_object()
        .member("type", std::string(type_prefix) + first.slug)
        .member("title", title_of(first.slug))
        .member("status", status);
    if (const auto detail = shown_detail(first); !detail.empty()) {
        json.member("detail", detail);
    }
    if (about != nullptr) {
        json.member("instance", about->request_id);
        json.member("trace_id", about->trace.trace_id_text());
    }
    if (first.kind == error_kind::invalid || failed.size() > 1) {
        write_errors(json, failed);
    }
    json.end_object();
    auto made = response::text(status, json.take(), "application/problem+json");
    if (const auto wait = retry_after_of(first, status)) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
        made.headers.set("Retry-After", std::to_string(std::max<long>(seconds, 1)));
    }
    if (status == 401) {
        made.headers.set("WWW-Authenticate", "Bearer");
    }
    return made;
}

response problem(const error& failed, const request* about) {
    return problem(std::vector<error>{failed}, about);
}

} // namespace relais::http
