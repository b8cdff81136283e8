#pragma once

#include "config/secret.hpp"
#include "http/router.hpp"
#include "postgres/pool.hpp"

#include <functional>

namespace relais::mailing_list_sync {

/// POST /webhooks/brevo: keeps what came, answers 200; makes nothing of it yet. When it cannot be
/// kept the answer is 429: any other error would make Brevo drop the event for ever.
http::handler receive_brevo_webhook(pg::pool& database, config::secret token,
                                    std::function<void()> wake_processor);

} // namespace relais::mailing_list_sync
