#pragma once

#include "clock/clock.hpp"
#include "outbox/replication_message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace relais::outbox {

/// Which position may be confirmed to the server: transactions stand in the order of the log, each
/// with the deliveries it still waits for, and a position counts only when everything before it was
/// delivered. Pure.
class confirmation_ring {
public:
    using ticket = std::uint64_t;

    /// Positions below `start` are confirmed already.
    explicit confirmation_ring(lsn start) : confirmed_(start) {}

    /// A transaction begins; its events follow, then close().
    void open(timestamp committed_at);

    /// One more event of the open transaction is on its way. The ticket goes to delivered().
    ticket sent();

    /// The open transaction is complete and ends at this position.
    void close(lsn end);

    /// Everything up to here has been read. Ignored while a transaction is open.
    void mark(lsn position);

    void delivered(ticket of);

    /// Drops what is complete at the front. True when confirmed() moved.
    bool advance();

    lsn confirmed() const {
        return confirmed_;
    }

    std::size_t outstanding() const {
        return outstanding_;
    }

    /// When the oldest transaction with an event on its way was committed.
    std::optional<timestamp> oldest() const;

private:
    struct entry {
        timestamp committed_at{};
        std::size_t waiting = 0;
        bool closed = false;
        lsn end = 0;
    };

    std::deque<entry> entries_;
    ticket first_ = 0; ///< of entries_.front()
    std::size_t outstanding_ = 0;
    lsn confirmed_;
};

} // namespace relais::outbox
