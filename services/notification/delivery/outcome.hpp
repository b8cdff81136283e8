#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::notification {

/// What a provider's answer (or its absence) means for one message.
enum class send_result {
    accepted,
    refused,         ///< this message will never be accepted
    nobody_there,    ///< nothing to send it to: no live device, no valid address
    channel_refused, ///< no message will be accepted until somebody changes something (key, plan)
    throttled,       ///< not done; the provider asks to wait
    not_sent,        ///< surely not done: the provider was not reached
    provider_error,  ///< the provider says that it failed
    ambiguous,       ///< it may have been done
};

std::string_view to_string(send_result value);

struct send_outcome {
    send_result result = send_result::ambiguous;
    std::string provider_message_id;
    std::string reason;                            ///< slug, for everything but accepted
    std::optional<std::chrono::milliseconds> wait; ///< what a provider that throttles asked for
    std::vector<std::string> dead_subscriptions;   ///< the provider says nobody is there any more
};

/// What a look-up after an ambiguous call found.
struct look_up_outcome {
    enum class finding { sent, not_there, unknown };
    finding what = finding::unknown;
    std::string provider_message_id;
};

/// How a provider lets us find out what became of an ambiguous call.
enum class ambiguity {
    repeat_with_key, ///< it drops a repeat with the same key
    look_up,         ///< it can be asked
    repeat_once,     ///< neither: one repeat, recognisable as the same message
};

} // namespace relais::notification
