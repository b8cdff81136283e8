#include "postgres/connection_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace relais::pg {
namespace {

constexpr std::array services{
    service_connections{"web-api", 4, 1},
    service_connections{"upload", 4, 1},
    service_connections{"notification", 4, 1},
    service_connections{"mailing-list-sync", 4, 1},
};

/// The table with the asking service's own numbers in it.
std::vector<service_connections> as_configured(const budget_question& question) {
    std::vector<service_connections> all(services.begin(), services.end());
    const auto own = std::ranges::find(all, question.service, &service_connections::service);
    if (own != all.end()) {
        own->pool = question.pool;
    } else {
        all.push_back({question.service, question.pool, 0});
    }
    return all;
}

} // namespace

std::span<const service_connections> budget_table() {
    return services;
}

result<void> check_budget(const budget_question& question) {
    std::size_t needed = budget_reserve + question.server_reserved;
    std::string words;
    for (const auto& service : as_configured(question)) {
        needed += question.instances_max * (service.pool + service.relay);
        words += fmt::format("{} {} x ({} + {}) + ", service.service, question.instances_max,
                             service.pool, service.relay);
    }
    if (needed <= question.server_max) {
        return {};
    }
    return fail(error_kind::invalid, "connection-budget",
                fmt::format("{}reserve {} + superuser reserve {} = {} connections, but the "
                            "server's max_connections is {}: lower RELAIS_DATABASE_CONNECTIONS or "
                            "RELAIS_INSTANCES_MAX, or raise max_connections",
                            words, budget_reserve, question.server_reserved, needed,
                            question.server_max));
}

} // namespace relais::pg
