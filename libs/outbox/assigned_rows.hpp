#pragma once

#include "outbox/polling_store.hpp"

namespace relais::outbox {

/// 0 for null.
std::uint64_t to_number(const std::optional<std::string>& text);

/// Rows of the statement in assign(): snapshot, epoch, count, position, then the columns of
/// to_assigned() without position. Refusal XX001: a row that cannot be read.
link_result<round> to_round(const text_rows& rows);

/// position, idx, at, seq, topic, key, headers, value.
link_result<std::vector<assigned_event>> to_assigned(const text_rows& rows);

} // namespace relais::outbox
