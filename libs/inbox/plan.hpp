#pragma once

#include "inbox/watermark.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace relais::inbox {

/// What is to be done with an event.
enum class step {
    run,          ///< call the handler
    erase,        ///< a tombstone: call the snapshot's erase handler
    duplicate,    ///< handled before
    unknown_type, ///< nobody here handles it
    expired,      ///< not worth handling any more
    park_behind,  ///< an earlier event of its key waits
    park_waiting, ///< a snapshot that it needs is not here yet: its key waits
    bury,         ///< a dead letter at once: unreadable, or a tombstone where none belongs
};

/// An event as the plan sees it.
struct candidate {
    const events::event* event = nullptr; ///< nullptr: its envelope could not be read
    std::int64_t offset = 0;
    bool handled = false; ///< somebody handles its type, or a tombstone of its topic
    bool compacted_topic = false;
};

/// (kind, id) → version. A snapshot that was erased satisfies every need.
using snapshot_versions = std::map<std::pair<std::string, std::string>, std::uint64_t>;
inline constexpr std::uint64_t any_version = ~std::uint64_t{0};

/// What is known of a partition while its events are decided on, one after the other: each decision
/// changes it for the next one.
struct knowledge {
    watermark mark;
    std::set<std::string> held;  ///< keys of the candidates that wait
    snapshot_versions snapshots; ///< of the candidates' needs
    std::set<event_id> unseen;   ///< ids without positions that are new
    timestamp now{};
};

/// Free of IO, in the order of the offsets. Duplicates first, so that nothing happens twice; then
/// the key's turn, so that nothing of a key overtakes.
step decide(const candidate& next, knowledge& known);

/// The needs that are not met.
std::vector<events::snapshot_need> missing(const std::vector<events::snapshot_need>& needs,
                                           const snapshot_versions& snapshots);

/// "kind:id:version", as it is stored, and back. The id may hold colons, kind and version not.
std::string to_text(const events::snapshot_need& need);
events::snapshot_need need_from_text(std::string_view text);

} // namespace relais::inbox
