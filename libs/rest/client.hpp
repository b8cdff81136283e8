#pragma once

#include "async/worker_pool.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "result/result.hpp"
#include "trace/context.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <expected>
#include <memory>
#include <string>
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
    std::chrono::milliseconds timeout{10'000};
};

struct answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    std::string_view header(std::string_view name) const; ///< empty when absent
    /// Retry-After in seconds or as a date, or the header given by name in seconds.
    std::optional<std::chrono::milliseconds> retry_after() const;
};

/// Why there is no answer, which decides what may be done next.
struct no_answer {
    /// The request never reached the provider: it may be sent again. Otherwise the provider may have
    /// done the work: look it up, or repeat with the same idempotency key.
    bool surely_not_sent = false;
    error reason;
};

struct client_settings {
    std::string base_url;
    std::string name; ///< metric label: "mailjet"
    std::size_t connections = 4;
    std::size_t queue_max = 256;
};

/// Provider calls over cpprestsdk, kept behind this interface. It never lets the library resend a
/// request by itself (each connection is used once). Metrics: provider_request_duration_seconds
/// {provider,status_class}, provider_no_answer_total{provider,kind}.
class client {
  public:
    client(client_settings settings, metrics::registry& metrics, log::logger logger);
    ~client();

    /// Adds traceparent. Any HTTP status is an answer.
    boost::asio::awaitable<std::expected<answer, no_answer>> send(call what,
                                                                  const trace::context& where);

    void stop();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::rest
