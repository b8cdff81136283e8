#pragma once

#include "inbox/worker.hpp"

#include <map>
#include <memory>

namespace relais::inbox {

using worker_map = std::map<kafka::topic_partition, std::unique_ptr<worker>>;

/// What has to be looked at from time to time beside the stream of events: held keys that become
/// due, snapshots that another instance received, keys held by a redrive, metrics, old ids.
class housekeeper {
public:
    housekeeper(shared_parts& parts, std::string group, worker_map& workers,
                const kafka::consumer* const& source);

    /// Wakes workers when a held key is due. Until cancelled.
    boost::asio::awaitable<void> keep_time();
    void timer_changed();

    /// Ends the process when a handler does not come back this long after its deadline.
    boost::asio::awaitable<void> keep_watch(std::chrono::milliseconds hang_limit);

    /// The rest. Until cancelled.
    boost::asio::awaitable<void> keep_house();

private:
    std::optional<timestamp> wake_due_workers();
    boost::asio::awaitable<void> look_for_snapshots();
    boost::asio::awaitable<void> look_for_redrives();
    boost::asio::awaitable<void> count_waiting();
    boost::asio::awaitable<void> sweep();
    void show_positions();
    void look_for_hangs(std::chrono::milliseconds hang_limit);

    shared_parts& parts_;
    std::string group_;
    worker_map& workers_;
    const kafka::consumer* const& source_; ///< nullptr between two connections
    async::signal timer_;
};

} // namespace relais::inbox
