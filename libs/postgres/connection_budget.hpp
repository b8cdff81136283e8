#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace relais::pg {

/// How many connections one instance of a service opens: its pool, and one of the outbox relay
/// (replication connections are counted by max_wal_senders, not here).
struct service_connections {
    std::string_view service;
    std::size_t pool = 0;
    std::size_t relay = 0;
};

/// Every service with a database, at its default pool size. The one place to change it.
std::span<const service_connections> budget_table();

struct budget_question {
    std::string service; ///< who asks; its own pool size counts instead of the table's
    std::size_t pool = 0;
    std::size_t instances_max = 1;   ///< of each service, a rolling deploy's extra ones included
    std::size_t server_max = 0;      ///< max_connections
    std::size_t server_reserved = 0; ///< superuser_reserved_connections
};

/// Connections that stay free for migrations, relaisctl, backups and people.
constexpr std::size_t budget_reserve = 10;

/// Error: `invalid` / "connection-budget" with the sum in words.
result<void> check_budget(const budget_question& question);

} // namespace relais::pg
