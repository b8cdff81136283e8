#pragma once

#include "gateway/routing/route_table.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "trace/context.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace relais::gateway {

/// What is known of one request when it is over.
struct exchange_record {
    std::string method;
    std::string route = "other"; ///< the route's prefix: a closed set, never the path
    std::string upstream;
    int status = 0;
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
    std::string request_id;
    trace::context trace;
    std::string reason; ///< why the gateway itself answered or cut off; empty: it did not
    std::chrono::steady_clock::time_point start;
    std::chrono::steady_clock::duration upstream_time{};
};

/// Heroku's code for a reason ("H12" for upstream_timeout), so that old searches still find things;
/// empty where it had none.
std::string_view heroku_code(std::string_view reason);

/// Access log and RED metrics.
class reporter {
public:
    reporter(metrics::registry& metrics, log::logger logger);

    void report(const exchange_record& record);

    metrics::gauge active_requests;
    metrics::gauge connections;

private:
    metrics::histogram& duration_of(const exchange_record& record);

    metrics::registry& metrics_;
    log::logger logger_;
    std::map<std::tuple<std::string, std::string, int>, metrics::histogram> durations_;
};

} // namespace relais::gateway
