#pragma once

#include "config/reader.hpp"
#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace relais::memcache {

struct client_settings {
    config::endpoint server;
    std::chrono::milliseconds timeout{20}; ///< for a whole operation, connecting included
    std::size_t value_max_bytes = std::size_t{512} * 1024;
};

/// What a look-up found. Of the readers that miss together one gets a lease: it may fill the gap.
/// The lease ends when the key is removed, so a value that was read before the removal cannot get
/// in after it.
struct lookup {
    std::optional<std::string> value;
    std::optional<std::uint64_t> lease;
};

/// memcached over its meta protocol. A cache may only make things faster: every failure looks like
/// a miss, no operation takes longer than the timeout, and after a failure nothing is tried for a
/// second. Keys: up to 250 printable bytes without space. Metrics:
/// cache_requests_total{result=hit|miss|error}.
class client {
public:
    client(client_settings settings, boost::asio::io_context& loop, metrics::registry& metrics);
    ~client();

    boost::asio::awaitable<std::optional<std::string>> get(std::string key);
    boost::asio::awaitable<void> set(std::string key, std::string value, std::chrono::seconds ttl);
    /// False: it may still be there, because the server could not be told.
    boost::asio::awaitable<bool> remove(std::string key);

    /// As get(), with a lease for one of those who miss; it lasts five seconds.
    boost::asio::awaitable<lookup> get_or_lease(std::string key);
    /// Stores only while the lease holds.
    boost::asio::awaitable<void> set_leased(std::string key, std::string value,
                                            std::chrono::seconds ttl, std::uint64_t lease);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::memcache
