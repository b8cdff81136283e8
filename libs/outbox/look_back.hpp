#pragma once

#include "ids/id.hpp"
#include "kafka/producer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <unordered_set>
#include <vector>

namespace relais::outbox {

struct look_back_request {
    kafka::producer_settings broker; ///< its brokers and names
    std::string service;             ///< whose records count: x-src begins with it
    std::vector<std::string> topics;
    timestamp since{};
};

/// Ids of the events that this service has published to these topics since then, read from Kafka
/// itself. A repair skips them, so that a lost slot does not mean that things happen twice. Waits
/// for as long as the broker is away.
boost::asio::awaitable<std::unordered_set<event_id>> look_back(look_back_request request,
                                                               boost::asio::io_context& loop,
                                                               metrics::registry& registry,
                                                               log::logger logger);

} // namespace relais::outbox
