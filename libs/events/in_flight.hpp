#pragma once

#include <cstddef>

namespace relais::events {

/// How many records of one partition a relay has under way at most. Should it be replaced under a
/// new epoch and still have an old one's records in its socket, then its successor sends those
/// again: consumers find them among the last ids of the old epoch, of which they keep this many.
inline constexpr std::size_t in_flight_max = 64;

} // namespace relais::events
