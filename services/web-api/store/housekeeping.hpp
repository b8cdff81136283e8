#pragma once

#include "postgres/transaction.hpp"

namespace relais::web_api::store {

/// Deletes at most `rows_max` rows of each kind that nobody can use any more: sessions 30 days
/// after their end, validations 30 days after theirs, counters of log-in attempts after a day.
/// Returns how many went; call again while there are more.
std::size_t delete_outdated(pg::transaction& tx, timestamp now, std::size_t rows_max);

} // namespace relais::web_api::store
