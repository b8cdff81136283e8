#include "async/backoff.hpp"

#include "ids/random.hpp"

#include <algorithm>

namespace relais::async {

std::chrono::milliseconds backoff::wait(unsigned attempt, std::uint64_t random) const {
    const unsigned doublings = std::min(attempt == 0 ? 0U : attempt - 1, 30U);
    const auto ceiling = std::min(longest, first * (std::int64_t{1} << doublings));
    const auto floor = first / 2;
    const auto span = static_cast<std::uint64_t>((ceiling - floor).count()) + 1;
    return floor + std::chrono::milliseconds(static_cast<std::int64_t>(random % span));
}

std::chrono::milliseconds backoff::wait(unsigned attempt) const {
    std::uint64_t random = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&random), sizeof random});
    return wait(attempt, random);
}

} // namespace relais::async
