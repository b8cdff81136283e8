#include "web-api/store/devices.hpp"

#include "http/json_writer.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/contacts.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

/// OneSignal's are UUIDs; other providers' are of these characters too.
result<std::string> subscription_id(std::string text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._:-").contains(c);
    });
    if (!plain) {
        return fail(error_kind::invalid, "invalid-subscription-id", "is not a subscription's id");
    }
    return text;
}

parsed<store::device> parse_device(const http::request& request, timestamp now) {
    const http::json_reader body(request.body);
    const auto provider = body.choice("provider", {"onesignal"});
    const auto subscription = body.text("subscription_id", subscription_id_limits);
    const auto platform = body.choice("platform", {"ios", "android", "web"});
    field_checks checks(body.finish());
    const auto clean = checks.take("/subscription_id", subscription_id(subscription));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return store::device{device_id::make(), provider, *clean, platform, now};
}

void write_device(http::json_writer& json, const store::device& device) {
    json.begin_object()
        .member("id", device.id)
        .member("provider", device.provider)
        .member("subscription_id", device.subscription_id)
        .member("platform", device.platform)
        .member("registered_at", device.registered_at)
        .end_object();
}

/// Both contacts that change, in the order of their ids, so that two hand-overs cannot wait for
/// each other.
bool lock_contacts(pg::transaction& tx, account_id self, std::optional<account_id> other) {
    if (!other || *other == self) {
        return store::lock_contact(tx, self);
    }
    const auto [first, second] = std::minmax(self, *other);
    const bool has_first = store::lock_contact(tx, first);
    const bool has_second = store::lock_contact(tx, second);
    return has_first && has_second;
}

result<http::response> register_in(pg::transaction& tx, account_id self, store::device device,
                                   const origin& from) {
    const auto before = store::hold_device_owner(tx, device.provider, device.subscription_id);
    if (!lock_contacts(tx, self, before)) {
        return fail(error_kind::not_found, "not-found", "there is no such account");
    }
    const auto registered = store::register_device(tx, self, device);
    device.id = registered.id;
    const auto version = store::publish_contact(tx, self, from);
    if (before && *before != self) {
        store::publish_contact(tx, *before, from);
    }
    identity::v1::DeviceRegistered happened;
    happened.set_account_id(self.text());
    happened.set_device_id(device.id.text());
    publish(tx, happened, from, {.needs = {needs_contact(self, version)}});
    http::json_writer json;
    write_device(json, device);
    return http::response::json(registered.created ? 201 : 200, json.take());
}

} // namespace

answer register_device(dependencies& with, const http::request& request) {
    const origin from{request.cause(), with.time.now()};
    const auto device = parse_device(request, from.now);
    if (!device) {
        co_return http::problem(device.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now,
                    [&] { return register_in(tx, request.caller->account, *device, from); });
    };
    auto done = co_await with.database.transact("register_device", work, request.deadline);
    co_return done;
}

answer list_devices(dependencies& with, const http::request& request) {
    const auto account = request.caller->account;
    auto list = [account](pg::transaction& tx) -> result<std::vector<store::device>> {
        return store::devices_of(tx, account);
    };
    const auto devices = co_await with.database.read("list_devices", list, request.deadline);
    if (!devices) {
        co_return fail(devices);
    }
    http::json_writer json;
    json.begin_object().begin_array("items");
    for (const auto& device : *devices) {
        write_device(json, device);
    }
    json.end_array().end_object();
    co_return http::response::json(200, json.take());
}

} // namespace relais::web_api
