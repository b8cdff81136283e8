#pragma once

#include "async/worker_pool.hpp"
#include "http/server.hpp"
#include "objectstore/store.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/relay.hpp"
#include "timers/runner.hpp"
#include "upload/config.hpp"
#include "upload/handlers/dependencies.hpp"
#include "upload/pipeline/picture_workers.hpp"
#include "upload/pipeline/pipeline.hpp"
#include "upload/pipeline/verifier.hpp"

#include <memory>

namespace relais::upload {

/// The service put together: members in the order in which they depend on each other.
class app {
public:
    app(const settings& given, host::process& process);

private:
    void register_pools(const settings& given);
    void register_work();
    void register_server();

    host::process& process_;
    pg::pool database_;
    outbox::relay relay_;
    outbox::bulk_pacer bulk_pacer_;
    objectstore::store objects_;
    async::worker_pool hashing_;
    picture_workers pictures_;
    verifier verifier_;
    pipeline pipeline_;
    timers::runner timers_;
    http::identity_verifier identities_;
    dependencies handlers_;
    http::server server_;
};

std::unique_ptr<app> build(const settings& given, host::process& process);

} // namespace relais::upload
