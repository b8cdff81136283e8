#pragma once

#include "async/backoff.hpp"
#include "notification/delivery/outcome.hpp"
#include "notification/store/deliveries.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace relais::notification {

/// What is done after each outcome, as data.
struct delivery_policy {
    async::backoff errors{std::chrono::seconds(1), std::chrono::minutes(5)};
    unsigned attempts_max = 12; ///< of those that count
    /// Between looking up an ambiguous call, the first after the call itself. Mailjet does not say
    /// how soon a message can be found.
    std::vector<std::chrono::milliseconds> look_up_waits{std::chrono::seconds(15),
                                                         std::chrono::seconds(45)};
    std::chrono::milliseconds look_up_again{5'000}; ///< after a look-up without an answer
    unsigned resends_max = 1;
    async::backoff throttled{std::chrono::seconds(1), std::chrono::minutes(1)};
    /// The provider cannot be reached: the message waits, and the channel until one gets through.
    async::backoff unreachable{std::chrono::milliseconds(500), std::chrono::seconds(30)};
    std::chrono::milliseconds unreachable_pause{1'000};
    std::chrono::milliseconds refused_channel{60'000}; ///< then one message tries again
};

/// What happens to a row, and to the whole channel.
struct verdict {
    delivery_state state = delivery_state::pending;
    std::chrono::milliseconds wait{0}; ///< until it is due again
    delivery_history history;
    std::string reason;
    std::chrono::milliseconds pause_channel{0}; ///< 0: go on
    bool alert = false;                         ///< somebody has to do something
};

/// After a call. `history` as claimed (this attempt counted).
verdict after_send(const delivery_policy& policy, ambiguity how, const send_outcome& outcome,
                   delivery_history history, std::uint64_t random);

/// After looking up an ambiguous call, or when there is nothing to look up at (`how` other than
/// look_up): the next step towards certainty. A message that is not worth sending any more
/// (`expired`) is not sent again.
verdict after_look_up(const delivery_policy& policy, ambiguity how, const look_up_outcome& found,
                      delivery_history history, bool expired, std::uint64_t random);

} // namespace relais::notification
