#pragma once

#include "gateway/routing/route_table.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace relais::gateway {

/// Reads the configuration file anew when it changes (looked at four times a second; replaced by
/// rename or through a link, too) and on SIGHUP. A file with anything wrong in it is refused whole,
/// each problem is logged, and what was in use stays in use. Control thread.
class reload {
public:
    using publish = std::function<void(std::shared_ptr<const route_table>)>;

    reload(std::string path, publish on_change, boost::asio::io_context& loop,
           metrics::registry& metrics, log::logger logger);

    /// Until cancelled.
    boost::asio::awaitable<void> run();

private:
    struct version {
        std::int64_t changed_ns = 0;
        std::uint64_t inode = 0;
        std::int64_t bytes = -1;

        friend bool operator==(const version&, const version&) = default;
    };

    version look() const;
    void read();

    std::string path_;
    publish on_change_;
    boost::asio::io_context& loop_;
    log::logger logger_;
    metrics::counter accepted_;
    metrics::counter refused_;
    metrics::gauge last_accepted_;
    version seen_;
};

} // namespace relais::gateway
