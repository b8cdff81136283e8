#include "gateway/access/error_reason.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relais::gateway {
namespace {

struct facts {
    error_reason reason;
    std::string_view word;
    std::string_view code;
    reason_side side;
};

using enum reason_side;

/// Codes: Heroku Dev Center, "Heroku Error Codes".
constexpr std::array<facts, error_reason_count> all{{
    {error_reason::none, "", "", own},
    {error_reason::protocol_error, "protocol_error", "H26", client},
    {error_reason::header_too_large, "header_too_large", "H26", client},
    {error_reason::uri_too_long, "uri_too_long", "H26", client},
    {error_reason::body_too_large, "body_too_large", "", client},
    {error_reason::request_timeout, "request_timeout", "H28", client},
    {error_reason::client_disconnect, "client_disconnect", "H27", client},
    {error_reason::invalid_token, "invalid_token", "", client},
    {error_reason::unauthenticated, "unauthenticated", "", client},
    {error_reason::forbidden, "forbidden", "", client},
    {error_reason::cross_site, "cross_site", "", client},
    {error_reason::no_route, "no_route", "", client},
    {error_reason::not_found, "not_found", "", client},
    {error_reason::misdirected, "misdirected", "H31", client},
    {error_reason::http2_abuse, "http2_abuse", "", client},
    {error_reason::method_not_allowed, "method_not_allowed", "", client},
    {error_reason::conflict, "conflict", "", client},
    {error_reason::too_large, "too_large", "", client},
    {error_reason::rate_limited, "rate_limited", "", client},
    {error_reason::upload_limit, "upload_limit", "", client},
    {error_reason::connection_limit, "connection_limit", "H22", client},
    {error_reason::banned, "banned", "", client},
    {error_reason::no_healthy_upstream, "no_healthy_upstream", "H10", service},
    {error_reason::upstream_overflow, "upstream_overflow", "H11", service},
    {error_reason::queue_timeout, "queue_timeout", "H11", service},
    {error_reason::circuit_open, "circuit_open", "H10", service},
    {error_reason::connect_timeout, "connect_timeout", "H19", service},
    {error_reason::connect_refused, "connect_refused", "H21", service},
    {error_reason::upstream_timeout, "upstream_timeout", "H12", service},
    {error_reason::upstream_reset, "upstream_reset", "H13", service},
    {error_reason::upstream_truncated, "upstream_truncated", "H18", service},
    {error_reason::upstream_protocol_error, "upstream_protocol_error", "H17", service},
    {error_reason::upstream_error, "upstream_error", "", service},
    {error_reason::upgrade_failed, "upgrade_failed", "H23", service},
    {error_reason::idle_timeout, "idle_timeout", "H15", own},
    {error_reason::deadline_exceeded, "deadline_exceeded", "H12", own},
    {error_reason::timeout, "timeout", "", own},
    {error_reason::unavailable, "unavailable", "", own},
    {error_reason::overloaded, "overloaded", "H99", own},
    {error_reason::draining, "draining", "", own},
    {error_reason::maintenance, "maintenance", "H80", own},
    {error_reason::loop_detected, "loop_detected", "", own},
    {error_reason::internal, "internal", "H99", own},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (static_cast<std::size_t>(all[i].reason) != i) {
            return false;
        }
    }
    return true;
}

static_assert(in_order());

/// Slugs whose word is not the slug with underscores.
constexpr std::array<std::pair<std::string_view, error_reason>, 9> by_slug{{
    {"unknown-method", error_reason::method_not_allowed},
    {"origin-not-allowed", error_reason::cross_site},
    {"introspection-failed", error_reason::no_healthy_upstream},
    {"upstream-write-failed", error_reason::upstream_reset},
    {"upstream-malformed", error_reason::upstream_protocol_error},
    {"upstream-failed", error_reason::upstream_error},
    {"upstream-busy", error_reason::upstream_overflow},
    {"too-many-uploads", error_reason::upload_limit},
    {"client-gone", error_reason::client_disconnect},
}};

/// "no-route" is the slug of "no_route".
bool is_slug_of(std::string_view slug, std::string_view word) {
    return std::ranges::equal(slug, word,
                              [](char a, char b) { return a == b || (a == '-' && b == '_'); });
}

const facts& facts_of(error_reason reason) {
    return all[static_cast<std::size_t>(reason)];
}

error_reason by_kind(error_kind kind) {
    switch (kind) {
    case error_kind::invalid:
        return error_reason::protocol_error;
    case error_kind::unauthenticated:
        return error_reason::unauthenticated;
    case error_kind::forbidden:
        return error_reason::forbidden;
    case error_kind::not_found:
        return error_reason::not_found;
    case error_kind::conflict:
        return error_reason::conflict;
    case error_kind::too_large:
        return error_reason::too_large;
    case error_kind::rate_limited:
        return error_reason::rate_limited;
    case error_kind::unavailable:
        return error_reason::unavailable;
    case error_kind::timeout:
        return error_reason::timeout;
    case error_kind::internal:
        break;
    }
    return error_reason::internal;
}

} // namespace

std::string_view to_string(error_reason reason) {
    return facts_of(reason).word;
}

std::string_view heroku_code(error_reason reason) {
    return facts_of(reason).code;
}

reason_side side_of(error_reason reason) {
    return facts_of(reason).side;
}

std::optional<error_reason> reason_named(std::string_view word) {
    const auto* const found = std::ranges::find(all, word, &facts::word);
    if (word.empty() || found == all.end()) {
        return std::nullopt;
    }
    return found->reason;
}

error_reason error_reason_of(const error& why) {
    const auto* const listed =
        std::ranges::find(by_slug, why.slug, &std::pair<std::string_view, error_reason>::first);
    if (listed != by_slug.end()) {
        return listed->second;
    }
    const auto* const named = std::ranges::find_if(all, [&](const facts& each) {
        return !why.slug.empty() && is_slug_of(why.slug, each.word);
    });
    return named != all.end() ? named->reason : by_kind(why.kind);
}

} // namespace relais::gateway
