#pragma once

#include "kafka/record.hpp"

#include <cstdint>

namespace relais::outbox {

/// A row of outbox_event on its way: its number there, and the record it becomes.
struct outgoing {
    std::uint64_t seq = 0;
    kafka::record record;
};

} // namespace relais::outbox
