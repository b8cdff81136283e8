#include "notification/channels/onesignal_messages.hpp"

#include "http/json_writer.hpp"
#include "rest/outcome.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace relais::notification {
namespace {

namespace json = boost::json;

std::optional<json::object> parse_object(const std::string& body) {
    boost::system::error_code failed;
    auto value = json::parse(body, failed);
    if (failed || !value.is_object()) {
        return std::nullopt;
    }
    return std::move(value.get_object());
}

/// Every text in an `errors` object, at any depth: {"invalid_player_ids": […]} and its relatives.
/// An id may be there once for each of its dead subscriptions.
void collect_texts(const json::value& from, std::set<std::string>& out) {
    if (const auto* const text = from.if_string()) {
        out.emplace(*text);
    } else if (const auto* const array = from.if_array()) {
        for (const auto& value : *array) {
            collect_texts(value, out);
        }
    } else if (const auto* const object = from.if_object()) {
        for (const auto& member : *object) {
            collect_texts(member.value(), out);
        }
    }
}

std::vector<std::string> dead_ones(const json::object& body,
                                   const std::vector<std::string>& subscriptions) {
    std::vector<std::string> out;
    const auto* const errors = body.if_contains("errors");
    if (errors == nullptr || !errors->is_object()) {
        return out;
    }
    std::set<std::string> named;
    collect_texts(*errors, named);
    std::ranges::copy_if(subscriptions, std::back_inserter(out),
                         [&](const std::string& id) { return named.contains(id); });
    return out;
}

send_outcome read_accepted(const rest::answer& given,
                           const std::vector<std::string>& subscriptions) {
    const auto body = parse_object(given.body);
    const auto* const id = body ? body->if_contains("id") : nullptr;
    if (id == nullptr || !id->is_string()) {
        return {send_result::ambiguous, "", "onesignal-bad-answer", {}, {}};
    }
    send_outcome out;
    out.provider_message_id = std::string(id->get_string());
    if (out.provider_message_id.empty()) {
        out.result = send_result::nobody_there;
        out.reason = "no-subscribed-device";
        out.dead_subscriptions = subscriptions;
        return out;
    }
    out.result = send_result::accepted;
    out.dead_subscriptions = dead_ones(*body, subscriptions);
    return out;
}

} // namespace

std::string onesignal_request(const outgoing& message, const std::string& app_id,
                              const std::vector<std::string>& subscriptions) {
    const auto& push = std::get<outgoing_push>(message.content);
    http::json_writer out;
    out.begin_object();
    out.member("app_id", app_id);
    out.member("idempotency_key", message.id);
    out.begin_array("include_subscription_ids");
    for (const auto& id : subscriptions) {
        out.element(id);
    }
    out.end_array();
    out.begin_object("headings");
    for (const auto& [language, text] : push.content) {
        out.member(language, text.title);
    }
    out.end_object();
    out.begin_object("contents");
    for (const auto& [language, text] : push.content) {
        out.member(language, text.body);
    }
    out.end_object();
    out.member("url", push.link);
    out.begin_object("data");
    for (const auto& [name, value] : push.data) {
        out.member(name, value);
    }
    out.end_object();
    constexpr std::int64_t longest = 2'419'200;
    out.member("ttl", std::clamp<std::int64_t>(push.useful_for.count(), 0, longest));
    out.end_object();
    return out.take();
}

send_outcome read_onesignal_answer(const std::expected<rest::answer, rest::no_answer>& ended,
                                   const std::vector<std::string>& subscriptions) {
    send_outcome out;
    if (!ended) {
        const bool not_sent = ended.error().surely_not_sent;
        out.result = not_sent ? send_result::not_sent : send_result::ambiguous;
        out.reason = ended.error().reason.slug;
        return out;
    }
    const auto body = parse_object(ended->body);
    const bool own_body = body && body->if_contains("errors") != nullptr;
    out.reason = fmt::format("onesignal-{}", ended->status);
    switch (rest::class_of(*ended, own_body)) {
    case rest::retry_class::accepted:
        return read_accepted(*ended, subscriptions);
    case rest::retry_class::retry_safe:
        out.result = send_result::throttled;
        out.wait = ended->retry_after();
        break;
    case rest::retry_class::provider_error:
        out.result = send_result::provider_error;
        break;
    case rest::retry_class::permanent_channel:
        out.result = send_result::channel_refused;
        break;
    case rest::retry_class::permanent_item:
        out.result = send_result::refused;
        break;
    case rest::retry_class::ambiguous:
        out.result = send_result::ambiguous;
        break;
    }
    return out;
}

} // namespace relais::notification
