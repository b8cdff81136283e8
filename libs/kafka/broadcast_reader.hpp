#pragma once

#include "kafka/record.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relais::kafka {

struct broadcast_topic {
    std::string name;
    std::chrono::milliseconds read_back{0}; ///< on start begin this far in the past
};

struct broadcast_settings {
    std::string brokers;
    std::string client_id;
    std::vector<broadcast_topic> topics;
    std::string topic_prefix; ///< as the producers'
};

/// Reads all partitions of some topics without a group: every instance sees every record. For the
/// gateway's revocations, bans and purges. Gives each record to the handler on the loop, at least
/// once. A topic that is not there yet holds up no other.
class broadcast_reader {
public:
    using handler = std::function<void(const record&)>;

    broadcast_reader(broadcast_settings settings, handler on_record, boost::asio::io_context& loop,
                     metrics::registry& metrics, log::logger logger);
    ~broadcast_reader();

    /// Runs until cancelled. Broker outages, also at the start, are waited out.
    boost::asio::awaitable<void> run();

    /// Whether it has read up to the end as it was at the start: then caches are trustworthy.
    bool caught_up() const;
    /// The same for one of its topics.
    bool caught_up(std::string_view topic) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::kafka
