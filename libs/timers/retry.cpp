#include "timers/retry.hpp"

#include "async/backoff.hpp"

namespace relais::timers {

namespace {
constexpr async::backoff curve{.first = std::chrono::seconds(1),
                               .longest = std::chrono::minutes(10)};
}

std::optional<std::chrono::milliseconds> wait_after(int attempt, error_kind failed,
                                                    std::uint64_t random) {
    if (attempt >= attempts_max || !is_retriable(failed)) {
        return std::nullopt;
    }
    return curve.wait(static_cast<unsigned>(attempt), random);
}

} // namespace relais::timers
