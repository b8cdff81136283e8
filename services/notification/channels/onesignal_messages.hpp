#pragma once

#include "notification/channels/channel.hpp"
#include "rest/client.hpp"

#include <expected>
#include <string>
#include <vector>

namespace relais::notification {

/// The body of POST /notifications for one person's devices. `subscriptions` are the ones to send
/// to.
std::string onesignal_request(const outgoing& message, const std::string& app_id,
                              const std::vector<std::string>& subscriptions);

/// Sent means 200 and an id that is not empty; both forms of `errors` are understood, and nothing
/// is decided by their wording.
send_outcome read_onesignal_answer(const std::expected<rest::answer, rest::no_answer>& ended,
                                   const std::vector<std::string>& subscriptions);

} // namespace relais::notification
