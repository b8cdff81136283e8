#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

namespace relais::mailing_list_sync {

/// Reads a cause that was kept as three columns: traceparent, correlation_id, causation_id.
events::cause cause_at(const pg::row& row, int first_column);

} // namespace relais::mailing_list_sync
