#include "gateway/exchange/report.hpp"

#include <array>
#include <utility>

namespace relais::gateway {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> codes{{
    {"no_healthy_upstream", "H10"},
    {"upstream_timeout", "H12"},
    {"upstream_reset", "H13"},
    {"upstream_protocol_error", "H17"},
    {"protocol_error", "H26"},
    {"client_disconnect", "H27"},
    {"request_timeout", "H28"},
    {"connection_limit", "H22"},
    {"upstream_busy", "H11"},
}};

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

} // namespace

std::string_view heroku_code(std::string_view reason) {
    for (const auto& [word, code] : codes) {
        if (word == reason) {
            return code;
        }
    }
    return "";
}

reporter::reporter(metrics::registry& metrics, log::logger logger)
    : active_requests(metrics.gauge("http_server_active_requests", "Requests in progress")),
      connections(metrics.gauge("http_server_connections", "Open connections of clients")),
      metrics_(metrics), logger_(std::move(logger)) {}

metrics::histogram& reporter::duration_of(const exchange_record& record) {
    const auto key = std::tuple(record.route, record.method, record.status);
    const auto known = durations_.find(key);
    if (known != durations_.end()) {
        return known->second;
    }
    const auto made = metrics_.histogram("http_server_request_duration_seconds",
                                         "Time from the request's head to the end of the answer",
                                         metrics::request_seconds(),
                                         {{"route", record.route},
                                          {"method", record.method},
                                          {"code", std::to_string(record.status)}});
    return durations_.emplace(key, made).first->second;
}

void reporter::report(const exchange_record& record) {
    const auto took = std::chrono::steady_clock::now() - record.start;
    duration_of(record).observe(seconds(took));
    if (!record.reason.empty()) {
        metrics_
            .counter("gateway_errors_total", "Answers the gateway gave itself, by reason",
                     {{"reason", record.reason},
                      {"upstream", record.upstream.empty() ? "none" : record.upstream}})
            .increment();
    }
    logger_.with(record.trace)
        .info("request", {{"method", record.method},
                          {"route", record.route},
                          {"status", record.status},
                          {"duration_ms", seconds(took) * 1e3},
                          {"upstream", record.upstream},
                          {"upstream_ms", seconds(record.upstream_time) * 1e3},
                          {"request_bytes", record.request_bytes},
                          {"response_bytes", record.response_bytes},
                          {"request_id", record.request_id},
                          {"error_reason", record.reason},
                          {"code", heroku_code(record.reason)}});
}

} // namespace relais::gateway
