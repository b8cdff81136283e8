#pragma once

#include <cstddef>
#include <string_view>

namespace relais::inbox {

/// What became of an event: the metric label `result`.
enum class outcome {
    handled,
    erased,
    stale, ///< a snapshot that is not newer
    duplicate,
    unknown_type,
    expired,
    parked,  ///< behind an earlier event of its key, or after a failure
    waiting, ///< for a snapshot
    dead,
};
inline constexpr std::size_t outcome_count = 9;
std::string_view to_string(outcome value);

} // namespace relais::inbox
