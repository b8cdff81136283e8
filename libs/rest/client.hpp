#pragma once

#include "async/worker_pool.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "rest/breaker.hpp"
#include "result/result.hpp"
#include "trace/context.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relais::rest {

/// A call to an outside provider.
struct call {
    std::string method = "POST";
    std::string target; ///< path and query, encoded: "/v3.1/send"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string content_type = "application/json";
    /// For all of it: waiting for a connection, connecting, sending, the whole answer.
    std::chrono::milliseconds timeout{10'000};
};

struct answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    std::string_view header(std::string_view name) const; ///< empty when absent
    /// Retry-After in seconds or as a date (taken relative to the answer's own Date, so that the
    /// two machines' clocks do not matter), or another header given by name in seconds. At most one
    /// day.
    std::optional<std::chrono::milliseconds>
    retry_after(std::string_view name = "retry-after") const;
};

/// Why there is no answer, which decides what may be done next.
struct no_answer {
    /// The request never reached the provider: it may be sent again. Otherwise the provider may
    /// have done the work: look it up, or repeat with the same idempotency key.
    bool surely_not_sent = false;
    error reason;
};

struct client_settings {
    std::string base_url; ///< scheme, host and port; a path in it is put before each target
    std::string name;     ///< metric label: "mailjet"
    std::size_t connections = 4;
    std::size_t queue_max = 256;
    std::size_t answer_max = std::size_t{8} * 1024 * 1024; ///< bytes of an answer's body
    breaker_limits leave_alone;
};

/// Provider calls over cpprestsdk, kept behind this interface. It never lets the library resend a
/// request by itself (each connection is used once). Blocking happens on a worker pool of its own,
/// named rest-<name>. A provider that does not answer, or with 5xx only, is left alone for a while
/// (`breaker`). Used on one thread. Metrics:
/// provider_request_duration_seconds{provider,status_class},
/// provider_no_answer_total{provider,kind}, provider_breaker_open{provider},
/// provider_breaker_refused_total{provider}.
class client {
public:
    client(client_settings settings, metrics::registry& metrics, log::logger logger);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Adds traceparent. Any HTTP status is an answer. Reasons of a no_answer, <name> being the
    /// client's: `unavailable` / "<name>-unreachable" (not sent), "<name>-left-alone" (not sent:
    /// the breaker is open; with retry_after), "<name>-connection-lost"; `timeout` /
    /// "<name>-timeout"; `too_large` / "<name>-answer-too-large"; `invalid` / "<name>-bad-request"
    /// (not sent); and the pool's. Once begun it is not cut short by
    /// cancellation: what became of the call has to be recorded.
    boost::asio::awaitable<std::expected<answer, no_answer>> send(call what,
                                                                  const trace::context& where);

    /// Lets running calls end; later ones are refused.
    void stop();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::rest
