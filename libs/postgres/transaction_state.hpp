#pragma once

#include "postgres/connection.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace relais::pg::detail {

/// Inside this library only: what transaction points at.
struct transaction_state {
    connection& link;
    connection::deadline until;
    std::optional<error> aborted_by; ///< the failure that only ROLLBACK can follow
    bool only_reads = true;          ///< nothing but SELECT so far
    std::vector<std::function<void()>> after_commit;
    std::function<void(std::string_view sql, std::size_t rows)> on_change;
};

rows exec(transaction_state& state, std::string_view sql, std::span<const parameter> parameters);
void exec_script(transaction_state& state, std::string_view sql);

} // namespace relais::pg::detail
