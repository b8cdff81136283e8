#pragma once

#include "gateway/config.hpp"
#include "gateway/drain.hpp"
#include "gateway/edge_fleet.hpp"
#include "gateway/events/ban_feed.hpp"
#include "gateway/events/security_events.hpp"
#include "gateway/identity/introspector.hpp"
#include "gateway/identity/web_api_clients.hpp"
#include "gateway/live/live_routes.hpp"
#include "gateway/routing/reload.hpp"
#include "gateway/upstream/service_watches.hpp"
#include "kafka/broadcast_reader.hpp"
#include "kafka/producer.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// The service put together: members in the order in which they depend on each other. The control
/// thread (the process's loop) opens the listeners, watches the services, asks who tokens belong to
/// and reads events; the edges serve the clients.
class app { // NOLINT(clang-analyzer-optin.performance.Padding): there is one
public:
    app(const settings& given, host::process& process);

private:
    void register_parts(const settings& given);
    void use(const std::shared_ptr<const route_table>& routes);
    void on_news(const kafka::record& record);

    host::process& process_;
    std::shared_ptr<const route_table> routes_; // shared with the edges; as at the start
    std::vector<std::unique_ptr<http::client>> web_api_;
    http::identity_signer signer_;
    introspector identities_;
    access_names names_;
    request_metrics figures_;
    access_writer access_log_;
    kafka::producer producer_;
    security_events security_;
    edge_fleet edges_;
    ban_feed bans_;
    kafka::broadcast_reader news_;
    service_watches watches_;
    live_board board_;
    drain drain_;
    reload reload_;
};

std::unique_ptr<app> build(const settings& given, host::process& process);

} // namespace relais::gateway
