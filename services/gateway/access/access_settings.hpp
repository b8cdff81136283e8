#pragma once

#include "config/reader.hpp"
#include "gateway/access/shown_address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace relais::gateway {

/// Which requests get a line in the log.
enum class access_log_lines : std::uint8_t {
    all,
    sampled, ///< those that become events
    errors,  ///< 5xx, and what the gateway answered itself or cut off
};

struct access_settings {
    std::string service = "gateway";
    std::string instance;
    access_log_lines lines = access_log_lines::all;
    client_shown client = client_shown::network; ///< in the log; events never hold more
    double sample_rate = 0.01;                   ///< of what neither failed nor was slow, 0 to 1
    std::chrono::milliseconds slow_after{1'000}; ///< requests that took longer are always events
    std::size_t ring_records = 4'096;            ///< per loop
    std::size_t kept = 4'096;                    ///< see recent_requests
    std::size_t backlog_bytes_max = std::size_t{4} * 1024 * 1024; ///< lines that wait for the log

    std::string kafka_brokers; ///< empty: no events
    std::string topic_prefix;  ///< see kafka::producer_settings
    std::size_t events_in_flight_max = 10'000;
    std::uint32_t events_per_second_max = 5'000; ///< a flood of refusals is no flood of events
};

/// RELAIS_ACCESS_LOG, RELAIS_ACCESS_LOG_CLIENT, RELAIS_ACCESS_SAMPLE_RATE, RELAIS_ACCESS_SLOW_MS,
/// RELAIS_ACCESS_EVENTS_PER_SECOND_MAX, RELAIS_ACCESS_KEPT. Instance and brokers are the caller's
/// to fill in.
access_settings read_access_settings(config::reader& from);

} // namespace relais::gateway
