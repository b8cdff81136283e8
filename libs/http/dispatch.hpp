#pragma once

#include "clock/clock.hpp"
#include "http/gate.hpp"
#include "http/identity.hpp"
#include "http/router.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>

// Internal: from a parsed head to a response, without sockets.
namespace relais::http {

/// What came in and where it goes, before its body is read.
struct dispatch {
    http::request request;
    router::match match;
    std::size_t body_max = 0;
};

/// Copies the head, because the buffer it points into is needed for the body. Request id and trace
/// are taken over when valid, else made; the deadline is the route's or the caller's, whichever is
/// earlier.
dispatch begin_dispatch(const request_head& head, const router& routes, std::string peer_address);

/// Runs routes for requests. Handlers that throw are bugs: 500, a log line and a counter, and the
/// connection lives on.
class dispatcher {
public:
    dispatcher(const identity_verifier* verify, metrics::registry& metrics, log::logger logger);

    boost::asio::awaitable<response> run(dispatch& what) const;

private:
    result<void> admit(dispatch& what) const;
    boost::asio::awaitable<result<response>> call_handler(const dispatch& what) const;

    const identity_verifier* verify_;
    log::logger logger_;
    system_clock clock_;
    metrics::counter exceptions_;
};

/// A request id that may be taken over from outside: 1 to 128 letters, digits, "-", "_", "." or
/// ":".
bool is_request_id(std::string_view text);

} // namespace relais::http
