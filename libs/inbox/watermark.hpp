#pragma once

#include "events/event.hpp"
#include "events/in_flight.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace relais::inbox {

/// How far a partition is handled. Free of IO.
struct watermark {
    std::string source; ///< the service whose relay fills the topic; empty: none seen yet
    std::int64_t epoch = 0;
    std::uint64_t lsn = 0;
    std::uint32_t index = 0;
    /// The last 8 bytes of the last event ids, oldest first: they hold 62 random bits each.
    std::string recent;
    std::optional<std::int64_t> next_offset;
};

/// Whether an event was handled before.
enum class novelty {
    fresh,
    duplicate,
    by_id, ///< has no position that compares: look its id up
};

/// Positions decide: epoch first, then LSN, then index. What comes again under a new epoch (a relay
/// that repaired itself) is found by its id among the recent ones. Offsets below next_offset were
/// handled by another instance meanwhile.
novelty judge(const watermark& mark, const events::event& event, std::int64_t offset);

/// Whether judge() would say by_id, as long as the mark's source stays the same.
bool needs_look_up(const watermark& mark, const events::event& event, std::int64_t offset);

/// Notes an event, whatever became of it.
void advance(watermark& mark, const events::event& event);

/// How many ids are kept: as many as the relay of an ended epoch may have had in flight, and as
/// many of the epoch that followed. A repair (its positions have LSN 0) sends what was in flight
/// then among other events and in another order, so its own ids never push those out.
inline constexpr std::size_t recent_ids_max = 2 * events::in_flight_max;

} // namespace relais::inbox
