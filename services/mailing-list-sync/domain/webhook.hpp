#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::mailing_list_sync {

/// What one entry of a Brevo marketing webhook says.
struct provider_event {
    enum class kind { unsubscribed, complaint, campaign_progress, unknown };
    kind what = kind::unknown;
    std::string email;
    std::string name; ///< the provider's word, for logs and metrics
    timestamp occurred_at{};
    std::int64_t campaign = 0; ///< 0: none
};

} // namespace relais::mailing_list_sync
