#pragma once

#include "clock/clock.hpp"
#include "gateway/access/access_names.hpp"
#include "gateway/access/error_reason.hpp"
#include "gateway/access/fixed_text.hpp"
#include "ids/uuid.hpp"
#include "trace/context.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace relais::gateway {

enum class http_protocol : std::uint8_t { http_1_0, http_1_1, http_2, websocket };

/// What the response cache did. joined: waited for the answer to somebody else's like request.
enum class cache_status : std::uint8_t { none, hit, miss, joined, revalidated, stale, bypass };
inline constexpr std::size_t cache_status_count = 7;

enum class address_family : std::uint8_t { none, v4, v6 };

/// "HTTP/1.1", "HTTP/2", "websocket" …
std::string_view to_string(http_protocol value);
/// "hit", "miss" …; empty for none.
std::string_view to_string(cache_status value);

/// A phase that a request did not come to.
inline constexpr std::chrono::microseconds not_reached{-1};

/// What is known of one request. The loop that serves it fills it in as the request goes, and hands
/// it to its request_stats and its access_ring when the request is over. Nothing in it points
/// anywhere: texts are cut to fit, names are indexes into access_names. One thread at a time.
struct access_record {
    timestamp start{};                               ///< when the head was there, by the wall clock
    std::chrono::steady_clock::time_point started{}; ///< the same, for durations

    std::chrono::microseconds total{0};              ///< to the end of the answer
    std::chrono::microseconds queue{not_reached};    ///< waiting for a connection
    std::chrono::microseconds connect{not_reached};  ///< making one, TLS included
    std::chrono::microseconds service{not_reached};  ///< end of the request to first byte back
    std::chrono::microseconds transfer{not_reached}; ///< first byte of the answer to the last

    std::uint64_t request_bytes = 0;  ///< of the body, as received
    std::uint64_t response_bytes = 0; ///< of the body, as sent to the client

    trace::context trace;
    std::optional<uuid> account;
    std::array<std::uint8_t, 16> client{}; ///< a v4 address in the first four bytes
    address_family client_family = address_family::none;

    std::uint16_t route = name_table::other;
    std::uint16_t upstream = name_table::none;
    std::uint16_t upstream_instance = name_table::none;
    std::uint16_t status = 0;
    std::uint8_t retries = 0; ///< how often it was sent again
    http_protocol protocol = http_protocol::http_1_1;
    cache_status cache = cache_status::none;
    error_reason reason = error_reason::none;
    bool tls = false;
    bool hedged = false;            ///< sent to two instances
    bool connection_reused = false; ///< to the service

    fixed_text<15> method;
    fixed_text<127> request_id; ///< longer ones are refused at the edge
    fixed_text<79> path;        ///< without the query
    fixed_text<63> user_agent;
    /// Of the reason: which limit, how many bytes. Every sentence of ours fits; what quotes
    /// somebody else and is longer ends with "…".
    fixed_text<71> detail;

    /// Sets the path from a request target (RFC 9112 §3.2), leaving its query away.
    void set_target(std::string_view target) noexcept;

    /// As Asio's to_bytes() gives them. A v4 address in v6 clothes (RFC 4291 §2.5.5.2) is one of
    /// v4.
    void set_client(const std::array<std::uint8_t, 4>& address) noexcept;
    void set_client(const std::array<std::uint8_t, 16>& address) noexcept;

    /// The request is over.
    void end(std::chrono::steady_clock::time_point now) noexcept;
};

static_assert(std::is_trivially_copyable_v<access_record>);
static_assert(sizeof(access_record) <= 512);

} // namespace relais::gateway
