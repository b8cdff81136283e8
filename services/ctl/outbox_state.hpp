#pragma once

#include "outbox/bulk_store.hpp"
#include "outbox/refused.hpp"
#include "postgres/transaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::ctl {

struct outbox_state {
    std::string slot; ///< empty: there is none
    bool active = false;
    std::int64_t lag_bytes = 0;
    std::int64_t epoch = 0;
    std::int64_t unsent = 0;
    std::optional<timestamp> oldest_unsent;
    std::optional<outbox::blocked_position> blocked;
    std::string mode;                          ///< "logical", "polling"
    std::int64_t shards = 0;                   ///< when polling,
    std::int64_t shards_held = 0;              ///< and those that an instance has
    std::int64_t refused = 0;                  ///< events left behind and not settled
    std::vector<outbox::tenant_staged> staged; ///< bulk work, most first
};

/// Of the database that the transaction runs on.
outbox_state look_at_outbox(pg::transaction& tx);

} // namespace relais::ctl
