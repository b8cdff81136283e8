#pragma once

#include "http/message.hpp"
#include "result/result.hpp"
#include "web-api/handlers/dependencies.hpp"

#include <boost/asio/awaitable.hpp>

namespace relais::web_api {

/// What every handler returns: an answer, or an error that the server turns into a problem
/// document.
using answer = boost::asio::awaitable<result<http::response>>;

// What each of them takes and gives is in openapi/, route by route.

answer register_account(dependencies& with, const http::request& request);
answer get_own_account(dependencies& with, const http::request& request);
answer validate_email(dependencies& with, const http::request& request);
answer put_consent(dependencies& with, const http::request& request);

answer log_in(dependencies& with, const http::request& request);
answer get_current_session(dependencies& with, const http::request& request);
answer log_out(dependencies& with, const http::request& request);
/// The gateway asks whose a token is: {"token"} → {"active", "account_id", "session_id", "roles",
/// "authenticated_at", "expires_at"}. An API key is nobody's account: it stands for itself.
answer introspect(dependencies& with, const http::request& request);

answer get_profile(dependencies& with, const http::request& request);
answer register_device(dependencies& with, const http::request& request);
answer list_devices(dependencies& with, const http::request& request);

answer publish_job(dependencies& with, const http::request& request);
answer get_job(dependencies& with, const http::request& request);
answer list_jobs(dependencies& with, const http::request& request);
answer make_offer(dependencies& with, const http::request& request);
answer list_offers(dependencies& with, const http::request& request);
answer accept_offer(dependencies& with, const http::request& request);

answer request_campaign(dependencies& with, const http::request& request);
answer get_campaign(dependencies& with, const http::request& request);

answer get_openapi(dependencies& with, const http::request& request);

} // namespace relais::web_api
