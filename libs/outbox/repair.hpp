#pragma once

#include "outbox/outgoing.hpp"
#include "outbox/progress.hpp"

#include <vector>

namespace relais::outbox {

boost::asio::awaitable<link_result<server_identity>> identify(server_link& replication);

/// Makes a new slot under a new epoch. Together with its snapshot it parts all events in two: what
/// committed before comes from the table (outbox_repair lists what may not have been published),
/// what commits later comes from the stream. Only one instance at a time does it; false: another
/// one is at it, or has just done it. Interrupted anywhere it can be done again from the start.
boost::asio::awaitable<link_result<bool>> make_slot(server_link& sql, server_link& replication,
                                                    server_identity server);

/// Removes slots of this database's earlier epochs, unless somebody still reads them.
boost::asio::awaitable<link_result<void>> drop_other_slots(server_link& sql, std::string keep);

/// A row of outbox_repair with its event.
struct repair_row {
    std::uint32_t ordinal = 0;
    event_id id;
    outgoing event;
};

/// The next ones after this ordinal.
boost::asio::awaitable<link_result<std::vector<repair_row>>>
read_repair(server_link& sql, std::uint32_t after, int at_most);
boost::asio::awaitable<link_result<void>> forget_repair(server_link& sql, std::uint32_t up_to);

boost::asio::awaitable<link_result<bool>> repair_is_left(server_link& sql);

/// Topics of the events that wait for repair.
boost::asio::awaitable<link_result<std::vector<std::string>>> repair_topics(server_link& sql);

} // namespace relais::outbox
