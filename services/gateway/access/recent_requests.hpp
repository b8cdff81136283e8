#pragma once

#include "gateway/access/access_record.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// The last requests, so that "why was this one refused?" has an answer for a while: so many of all
/// of them, and as many again of those that failed or were slow, which stay longer. The writer's
/// thread notes them, never a loop that serves; any thread asks. Half a kilobyte a request.
class recent_requests {
public:
    /// 0: none are kept.
    explicit recent_requests(std::size_t each_max);

    /// `notable`: failed or slow.
    void note(const access_record& record, bool notable);

    /// By request id or, 32 hexadecimal digits, by trace id: the last one.
    std::optional<access_record> find(std::string_view id) const;

    /// Failed and slow ones, the last first.
    std::vector<access_record> notable(std::size_t at_most) const;

private:
    /// Writes over the oldest when it is full.
    struct memory {
        std::vector<access_record> records;
        std::size_t next = 0;

        void note(const access_record& record, std::size_t at_most);
        /// The last first, until `wants` says false.
        template <class Each>
        void look_back(Each wants) const;
    };

    std::size_t each_max_;
    mutable std::mutex mutex_;
    memory all_;
    memory notable_;
};

} // namespace relais::gateway
