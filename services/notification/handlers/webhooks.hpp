#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "http/router.hpp"
#include "postgres/pool.hpp"

#include <functional>
#include <string>

namespace relais::notification {

/// POST /webhooks/{provider}: checks the token, keeps the body as it is and answers 200; what it
/// means is found out later. Neither Mailjet nor OneSignal sign, so the token comes as the password
/// of Basic or as Bearer; without a configured token every call is refused. A body that cannot be
/// kept is answered 429, which makes every provider try again.
http::handler receive_webhook(pg::pool& database, std::string provider, config::secret token,
                              const clock& time, std::function<void()> wake_processor);

/// Whether an Authorization value carries the token. Compares in constant time.
bool carries_token(std::string_view authorization, const config::secret& token);

} // namespace relais::notification
