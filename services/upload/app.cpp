#include "upload/app.hpp"

#include "upload/pipeline/expiry.hpp"
#include "upload/routes.hpp"

namespace asio = boost::asio;

namespace relais::upload {
namespace {

constexpr const char* service_name = "upload";
constexpr std::chrono::seconds finish_requests_within{15};

pg::pool_settings database_of(const settings& given) {
    pg::pool_settings out;
    out.url = given.database_url;
    out.application_name = given.process.instance;
    out.connections = given.database_connections;
    return out;
}

objectstore::store_settings store_of(const settings& given) {
    return {given.s3_endpoint, given.s3_credentials};
}

dependencies handlers_of(const settings& given, host::process& process, pg::pool& database,
                         std::function<void()> wake_pipeline) {
    return {database,
            process.time(),
            process.metrics(),
            given.s3_credentials,
            given.s3_public_endpoint,
            objectstore::split_endpoint(given.s3_public_endpoint),
            given.buckets.staging,
            given.media_public_url,
            given.s3_event_token,
            given.grant_lifetime,
            given.open_uploads_max,
            std::move(wake_pipeline)};
}

} // namespace

app::app(const settings& given, host::process& process)
    : process_(process), database_(database_of(given), process.metrics(), process.logger()),
      relay_({service_name,
              given.database_url,
              {given.kafka_brokers, given.process.instance},
              given.outbox},
             process.loop(), process.metrics(), process.logger()),
      bulk_pacer_(database_, relay_, given.outbox, process.metrics(), process.logger()),
      objects_(store_of(given), process.time(), process.loop(), process.metrics()),
      hashing_({"hashing", 1, 64}, process.metrics()),
      pictures_({given.worker}, process.loop(), process.metrics(), process.logger()),
      verifier_({database_, objects_, pictures_, hashing_, process.time(), process.metrics(),
                 process.logger(), given.buckets}),
      pipeline_({given.concurrency, given.lease}, verifier_, database_, process.time(),
                process.loop(), process.metrics(), process.logger()),
      timers_(database_, process.time(), process.loop(), process.metrics(), process.logger()),
      identities_(given.identity_public_key),
      handlers_(handlers_of(given, process, database_, pipeline_.waker())),
      server_({given.listen}, routes(handlers_), &identities_, process.loop(), process.metrics(),
              process.logger()) {
    timers_.on(expiry_timer_kind, on_expiry(pipeline_.waker()));
    register_pools(given);
    register_work();
    register_server();
}

void app::register_pools(const settings& given) {
    process_.add({host::stage::pools, "database",
                  [this, instances = given.instances_max] {
                      return database_.check_connection_budget(instances);
                  },
                  [this]() -> asio::awaitable<void> {
                      database_.stop();
                      co_return;
                  }});
    process_.add({host::stage::pools, "picture-workers",
                  [this]() -> asio::awaitable<result<void>> { co_return pictures_.start(); },
                  [this]() -> asio::awaitable<void> {
                      pictures_.stop();
                      hashing_.stop();
                      co_return;
                  }});
}

void app::register_work() {
    process_.run_task(host::stage::producers, "outbox-relay", [this] { return relay_.run(); });
    process_.run_task(host::stage::workers, "outbox-bulk", [this] { return bulk_pacer_.run(); });
    process_.run_task(host::stage::workers, "timers", [this] { return timers_.run(); });
    process_.add({host::stage::workers, "upload-pipeline",
                  [this]() -> asio::awaitable<result<void>> {
                      pipeline_.start();
                      co_return result<void>();
                  },
                  [this] {
                      return pipeline_.stop();
                  }});
}

void app::register_server() {
    process_.add({host::stage::acceptors, "http",
                  [this]() -> asio::awaitable<result<void>> { co_return server_.start(); },
                  [this] {
                      return server_.stop(finish_requests_within);
                  }});
    process_.on_drain([this] { server_.announce_drain(); });
    process_.add_readiness("database", [this]() -> result<void> {
        if (!database_.reachable()) {
            return fail(error_kind::unavailable, "database-down", "the database is not reachable");
        }
        return {};
    });
}

std::unique_ptr<app> build(const settings& given, host::process& process) {
    return std::make_unique<app>(given, process);
}

} // namespace relais::upload
