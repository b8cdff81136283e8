#pragma once

#include "inbox/dead_letters.hpp"

#include <chrono>

namespace relais::inbox {

/// One change of a dead letter.
struct dead_letter_deed {
    std::int64_t letter = 0;
    timestamp at{};
    std::string who;
    std::string what; ///< "redrive", "edit", "discard"
    std::string why;
    std::string before; ///< JSON: {state, value_sha256, redrives}
    std::string after;
};

void note_deed(pg::transaction& tx, const dead_letter_deed& value);

/// The state of a letter for before and after.
std::string state_json(const dead_letter& letter);

/// Newest first; of one letter, or of all (nullopt). Throws pg::failure, as all of these.
std::vector<dead_letter_deed> list_deeds(pg::transaction& tx, std::optional<std::int64_t> letter,
                                         std::size_t limit);

/// How long settled letters are kept, with their bytes, and for how long who settled them.
inline constexpr std::chrono::days settled_kept{90};
inline constexpr std::chrono::days deeds_kept{400};

/// Removes some thousand settled letters of a group, and deeds, that are older; how many.
std::size_t forget_settled(pg::transaction& tx, const std::string& group, timestamp now);

} // namespace relais::inbox
