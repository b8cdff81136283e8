#pragma once

#include "gateway/routing/route_table.hpp"
#include "gateway/tls/certificate_watch.hpp"
#include "gateway/tls/tls_client.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// What all loops use to speak TLS to services; follows the files of its certificates. Control
/// thread; outlives the loops.
class upstream_clients {
public:
    /// From now on connections to this service go through TLS by this, to this name; nullptr:
    /// without TLS.
    using tell = std::function<void(const std::string& service, const tls_client* by,
                                    const std::string& server_name)>;

    upstream_clients(tell on_change, const clock& time, metrics::registry& metrics,
                     log::logger logger);
    ~upstream_clients();

    /// For these services. One whose files do not fit (any more: they were checked with the
    /// configuration) keeps what it had; that is logged.
    void use(const std::vector<upstream_service>& services);

    /// Reads certificates again whose files changed.
    void look();

private:
    struct entry;

    void set_up(const upstream_service& service);
    std::unique_ptr<certificate_watch> watch_over(const std::string& name, tls_client& client);

    tell tell_;
    const clock& time_;
    metrics::registry& metrics_;
    log::logger logger_;
    std::vector<std::unique_ptr<entry>> entries_;
    std::vector<std::unique_ptr<tls_client>> replaced_; ///< sessions may use them
};

} // namespace relais::gateway
