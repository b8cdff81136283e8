#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "gateway/routing/route_table.hpp"
#include "http/client.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// Where a service's instances are and whether they are ready: names are resolved again and again
/// (the last good answer stays while DNS does not answer), and each instance's /readyz is asked
/// twice a second. Runs on the control thread; what changes is told to whoever serves.
class service_watch : public std::enable_shared_from_this<service_watch> {
public:
    using endpoint = boost::asio::ip::tcp::endpoint;

    struct audience {
        std::function<void(const std::vector<endpoint>&)> on_instances;
        std::function<void(const endpoint&, bool ready)> on_ready;
    };

    service_watch(const upstream_service& what, audience told, boost::asio::io_context& loop,
                  metrics::registry& metrics, log::logger logger);
    ~service_watch();

    /// Until cancelled. Each instance is asked by a task of its own in the group.
    boost::asio::awaitable<void> run(async::task_group& tasks);

    const std::string& name() const {
        return name_;
    }

    bool has_ready() const;

    bool asks_readyz() const {
        return asks_readyz_;
    }

    /// Elsewhere from now on; looked up at once.
    void set_targets(const std::vector<upstream_target>& targets);
    /// run() ends, and so do its tasks.
    void stop();

private:
    struct instance;

    boost::asio::awaitable<void> resolve_all();
    void keep_only(const std::vector<std::pair<endpoint, endpoint>>& now);
    boost::asio::awaitable<void> watch(std::shared_ptr<service_watch> self,
                                       std::shared_ptr<instance> which);

    std::string name_;
    bool asks_readyz_;
    std::vector<upstream_target> targets_;
    audience told_;
    boost::asio::io_context& loop_;
    metrics::registry& metrics_;
    log::logger logger_;
    metrics::counter resolve_failures_;
    async::signal changed_;
    bool stopped_ = false;
    std::vector<std::vector<std::pair<endpoint, endpoint>>> resolved_; ///< last good, by target
    std::vector<std::shared_ptr<instance>> instances_; ///< shared with the task that asks it
    std::vector<std::shared_ptr<instance>> fresh_;     ///< no task asks them yet
};

} // namespace relais::gateway
