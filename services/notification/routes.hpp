#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "http/router.hpp"
#include "postgres/pool.hpp"

#include <functional>
#include <vector>

namespace relais::notification {

struct webhook_tokens {
    config::secret mailjet;
    config::secret onesignal;
};

std::vector<http::route> routes(pg::pool& database, const webhook_tokens& tokens, const clock& time,
                                const std::function<void()>& wake_processor);

} // namespace relais::notification
