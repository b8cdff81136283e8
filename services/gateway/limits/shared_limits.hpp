#pragma once

#include "gateway/limits/concurrency_table.hpp"
#include "gateway/limits/limit_table.hpp"

#include <chrono>

namespace relais::gateway {

/// What the event loops of a process share, because a limit that each of them kept for itself would
/// be another limit: lock-free tables, 2 MiB in all.
struct shared_limits {
    limit_table rates{65'536, std::chrono::steady_clock::now()};
    concurrency_table connections{65'536}; ///< of an address
    concurrency_table uploads{65'536};     ///< of an account or address, per route
};

} // namespace relais::gateway
