#pragma once

#include "host/process.hpp"
#include "http/server.hpp"
#include "inbox/consumer.hpp"
#include "memcache/client.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/relay.hpp"
#include "postgres/pool.hpp"
#include "web-api/adapters/password_hasher.hpp"
#include "web-api/config.hpp"
#include "web-api/handlers/dependencies.hpp"

#include <memory>

namespace relais::web_api {

/// The service put together: members in the order in which they need each other. The constructor
/// only builds and tells the process what to start and stop.
class app {
public:
    app(const settings& configured, host::process& running);

    static std::unique_ptr<app> build(const settings& configured, host::process& running);

private:
    void register_pools();
    void register_workers();
    void register_server();
    boost::asio::awaitable<void> keep_house();

    host::process& process_;
    std::size_t instances_max_;
    pg::pool database_;
    password_hasher passwords_;
    memcache::client cache_;
    profile_cache profiles_;
    outbox::relay relay_;
    outbox::bulk_pacer bulk_pacer_;
    inbox::consumer inbox_;
    dependencies dependencies_;
    http::identity_verifier verifier_;
    http::server server_;
};

} // namespace relais::web_api
