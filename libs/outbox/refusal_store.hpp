#pragma once

#include "outbox/refusal.hpp"
#include "outbox/server_link.hpp"

#include <optional>
#include <set>

namespace relais::outbox {

/// The relay's SQL about refused events.

/// What is written down: where publishing stands still, and which events (by seq) were left behind.
struct known_refusals {
    std::optional<refusal_of_event> blocked;
    std::set<std::uint64_t> diverted; ///< the newest 100,000
};

boost::asio::awaitable<link_result<known_refusals>> read_refusals(server_link& sql);

/// Keeps the time of the first try when it is the same event as before.
boost::asio::awaitable<link_result<void>> save_blocked(server_link& sql, refusal_of_event what);

/// Removes the row when its event is among those published. True: nothing is blocked any more.
boost::asio::awaitable<link_result<bool>> clear_passed(server_link& sql);
boost::asio::awaitable<link_result<void>> clear_blocked(server_link& sql);

/// The event goes to outbox_refused. Committed when this returns; may be done again.
boost::asio::awaitable<link_result<void>> divert(server_link& sql, refusal_of_event what);

} // namespace relais::outbox
