#include "notification/webhooks/provider_webhooks.hpp"

#include "ids/encoding.hpp"
#include "notification/store/contacts.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace relais::notification {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    if (value == nullptr) {
        return {};
    }
    if (value->is_string()) {
        return std::string(value->get_string());
    }
    if (value->is_int64()) {
        return fmt::to_string(value->get_int64());
    }
    return value->is_uint64() ? fmt::to_string(value->get_uint64()) : std::string();
}

bool flag_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

timestamp time_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    const auto seconds = value != nullptr && value->is_int64() ? value->get_int64() : 0;
    return timestamp(std::chrono::seconds(seconds));
}

std::string digest_of(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) {
        all += fmt::format("{}:{};", part.size(), part);
    }
    return to_hex(sha256(as_bytes(all)));
}

/// The objects of the body; what is no object is left out.
result<std::vector<json::object>> objects_of(std::string_view body) {
    boost::system::error_code failed;
    auto document = json::parse(body, failed);
    if (failed) {
        return fail(error_kind::invalid, "malformed-json", failed.message());
    }
    std::vector<json::object> out;
    if (document.is_object()) {
        out.push_back(std::move(document.get_object()));
    } else if (document.is_array()) {
        for (auto& value : document.get_array()) {
            if (value.is_object()) {
                out.push_back(std::move(value.get_object()));
            }
        }
    }
    return out;
}

std::optional<delivery_id> id_in(const std::string& text) {
    const auto parsed = delivery_id::parse(text);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

} // namespace

result<std::vector<provider_event>> read_mailjet_events(std::string_view body,
                                                        std::string_view address_key) {
    const auto objects = objects_of(body);
    if (!objects) {
        return fail(objects);
    }
    std::vector<provider_event> out;
    for (const auto& object : *objects) {
        const auto event = text_of(object, "event");
        const auto related = text_of(object, "error_related_to");
        provider_event made;
        made.provider = "mailjet";
        made.delivery = id_in(text_of(object, "CustomID"));
        made.reason = text_of(object, "error");
        made.what = from_mailjet({event, flag_of(object, "hard_bounce"), related, made.reason});
        made.occurred_at = time_of(object, "time");
        made.provider_message_id = text_of(object, "MessageID");
        if (const auto address = text_of(object, "email"); !address.empty()) {
            made.address_hash = address_hash(address_key, address);
        }
        made.digest = digest_of({"mailjet", made.provider_message_id, event,
                                 text_of(object, "time"), text_of(object, "url"), made.reason});
        out.push_back(std::move(made));
    }
    return out;
}

result<std::vector<provider_event>> read_onesignal_events(std::string_view body) {
    const auto objects = objects_of(body);
    if (!objects) {
        return fail(objects);
    }
    std::vector<provider_event> out;
    for (const auto& object : *objects) {
        const auto event = text_of(object, "event");
        const auto subscription = text_of(object, "subscription_id");
        provider_event made;
        made.provider = "onesignal";
        made.occurred_at = time_of(object, "ts");
        made.provider_message_id = text_of(object, "message_id");
        // "message.push.unsubscribed", "push.unsubscribed": the last word counts.
        const auto word = event.substr(event.rfind('.') + 1);
        if (word == "unsubscribed" || word == "failed") {
            made.what = word == "failed" ? feedback::rejected : feedback::unsubscribed;
            made.dead_subscriptions.push_back(subscription);
        } else if (word == "clicked") {
            made.what = feedback::clicked;
        } else if (word == "received") {
            made.what = feedback::delivered;
        }
        made.digest = digest_of({"onesignal", text_of(object, "event_id"), event, subscription,
                                 made.provider_message_id});
        out.push_back(std::move(made));
    }
    return out;
}

} // namespace relais::notification
