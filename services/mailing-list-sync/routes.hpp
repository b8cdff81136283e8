#pragma once

#include "config/secret.hpp"
#include "http/router.hpp"
#include "postgres/pool.hpp"

#include <functional>
#include <vector>

namespace relais::mailing_list_sync {

/// Everything this service answers.
std::vector<http::route> routes(pg::pool& database, config::secret webhook_token,
                                std::function<void()> wake_webhooks);

} // namespace relais::mailing_list_sync
