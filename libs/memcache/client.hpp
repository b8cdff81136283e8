#pragma once

#include "config/reader.hpp"
#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace relais::memcache {

struct client_settings {
    config::endpoint server;
    std::chrono::milliseconds timeout{20}; ///< for a whole operation, connecting included
    std::size_t value_max_bytes = std::size_t{512} * 1024;
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
    boost::asio::awaitable<void> remove(std::string key);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::memcache
