#pragma once

#include "gateway/access/access_record.hpp"

#include <chrono>
#include <cstdint>

namespace relais::gateway {

/// Which requests are worth an event: all that failed or were slow, and a share of the others. The
/// share is chosen by a hash of the trace id (or of the request id where there is no trace), so
/// that every gateway that sees a trace decides alike.
class sampling {
public:
    /// `rate` from 0 (none) to 1 (all); what is outside counts as the nearer end.
    sampling(double rate, std::chrono::microseconds slow_after);

    /// 5xx, or the gateway answered itself or cut off.
    static bool failed(const access_record& record) noexcept;

    /// Failed, or slower than the threshold.
    bool always(const access_record& record) const noexcept;

    bool in_share(const access_record& record) const noexcept;

    /// How many requests one of the share stands for.
    double weight() const noexcept {
        return weight_;
    }

private:
    std::chrono::microseconds slow_after_;
    bool all_;
    std::uint64_t below_; ///< hashes below this are in the share
    double weight_;
};

} // namespace relais::gateway
