#pragma once

#include "result/error.hpp"

#include <chrono>
#include <optional>

namespace relais::timers {

/// After so many tries a timer is given up; it stays in the table, marked, for people to look at.
constexpr int attempts_max = 25;

/// The wait after a failed attempt (from 1), or nullopt: give up. Kinds that trying again cannot
/// mend are given up at once. `random` is any 64 uniform bits.
std::optional<std::chrono::milliseconds> wait_after(int attempt, error_kind failed,
                                                    std::uint64_t random);

} // namespace relais::timers
