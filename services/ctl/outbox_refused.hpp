#pragma once

#include "ctl/command.hpp"

namespace relais::ctl {

/// `outbox refused`: the events that were left behind, of one service or all.
result<void> list_refused(const context& where, const arguments& given);

/// `outbox republish ID…`: appends them again; without --yes it says what it would do. Errors:
/// `invalid` / "usage", `not_found` / "no-such-refused-event".
result<void> republish_refused(const context& where, const arguments& given);

/// `outbox discard ID… --why REASON`: gives up refused events, or the one that holds up the rest;
/// without --yes it says what it would do. Errors: as republish_refused().
result<void> discard_refused(const context& where, const arguments& given);

} // namespace relais::ctl
