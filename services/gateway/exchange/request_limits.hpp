#pragma once

#include "gateway/client_address/ip_address.hpp"
#include "gateway/exchange/heads.hpp"
#include "gateway/identity/introspector.hpp"
#include "gateway/limits/ratelimit_fields.hpp"
#include "gateway/limits/shared_limits.hpp"
#include "gateway/routing/route_table.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace relais::gateway {

/// The limits that one request comes under, and what they said of it. Reused from request to
/// request.
class request_limits {
public:
    using time_point = std::chrono::steady_clock::time_point;

    void begin();

    /// Those that count addresses. Error: `rate_limited` / "rate-limited" with retry_after.
    result<void> take_for_address(const route_table& table, const route& which,
                                  shared_limits& shared, const ip_address& client, time_point now);
    /// Those that count accounts and credentials.
    result<void> take_for_caller(const route_table& table, const route& which,
                                 shared_limits& shared, const known_caller& caller, time_point now);

    /// A place for a large body, until end_upload(): per account where there is one.
    /// Error: `rate_limited` / "too-many-uploads".
    result<void> take_upload(const route_table& table, const route& which, shared_limits& shared,
                             const ip_address& client, const known_caller* caller);

    /// The body is with the service. Not only when the answer is out: whoever has it may ask again
    /// at once.
    void end_upload() {
        upload_.reset();
    }

    /// Adds RateLimit-Policy and RateLimit; views into this object.
    void write_fields(answer_head& to);

private:
    result<void> take(const limit_rule& rule, const route& which, shared_limits& shared,
                      std::string_view subject, time_point now);

    static constexpr std::size_t reports_max = 8;
    std::array<limit_report, reports_max> reports_;
    std::size_t count_ = 0;
    std::optional<concurrency_permit> upload_;
    std::string policy_;
    std::string limit_;
};

} // namespace relais::gateway
