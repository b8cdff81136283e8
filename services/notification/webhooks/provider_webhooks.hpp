#pragma once

#include "notification/store/webhooks.hpp"
#include "result/result.hpp"

#include <string_view>
#include <vector>

namespace relais::notification {

/// The events in a body of Mailjet's Event API: an array (version 2) or one object (version 1).
/// `address_key` hashes the addresses. Error: `invalid` / "malformed-json".
result<std::vector<provider_event>> read_mailjet_events(std::string_view body,
                                                        std::string_view address_key);

/// The body of OneSignal's event streams is what we define in its dashboard: {"event", "event_id",
/// "ts", "message_id", "subscription_id"}, one object or an array. Error: `invalid` /
/// "malformed-json".
result<std::vector<provider_event>> read_onesignal_events(std::string_view body);

} // namespace relais::notification
