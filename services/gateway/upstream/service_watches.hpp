#pragma once

#include "gateway/upstream/service_watch.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// The watches over all services that the configuration names at the moment. Control thread.
class service_watches {
public:
    struct audience {
        std::function<void(const std::string& service, const std::vector<service_watch::endpoint>&)>
            on_instances;
        std::function<void(const std::string& service, const service_watch::endpoint&, bool ready)>
            on_ready;
    };

    service_watches(audience told, boost::asio::io_context& loop, async::task_group& tasks,
                    metrics::registry& metrics, log::logger logger);

    /// These from now on: what is new is watched, what is gone no longer.
    void use(const std::vector<upstream_service>& services);

    /// Whether an instance of this service is ready.
    bool has_ready(const std::string& service) const;

private:
    audience told_;
    boost::asio::io_context& loop_;
    async::task_group& tasks_;
    metrics::registry& metrics_;
    log::logger logger_;
    std::vector<std::shared_ptr<service_watch>> watches_; // shared with the task that runs each
};

} // namespace relais::gateway
