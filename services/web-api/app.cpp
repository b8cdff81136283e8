#include "web-api/app.hpp"

#include "async/signal.hpp"
#include "inbox/dead_letter_routes.hpp"
#include "inbox/one_off.hpp"
#include "web-api/consumers/consumers.hpp"
#include "web-api/routes.hpp"
#include "web-api/store/housekeeping.hpp"
#include "web-api/store/publish.hpp"

namespace asio = boost::asio;

namespace relais::web_api {
namespace {

constexpr std::chrono::milliseconds stop_limit{10'000};
constexpr std::chrono::minutes housekeeping_interval{10};
constexpr std::size_t housekeeping_batch = 1'000;

pg::pool_settings pool_settings(const settings& configured) {
    return {.url = configured.database_url,
            .application_name = configured.process.instance,
            .connections = configured.database_connections};
}

outbox::relay_settings relay_settings(const settings& configured) {
    return {
        .service = std::string(service_name),
        .database_url = configured.database_url,
        .producer = {.brokers = configured.kafka_brokers, .client_id = configured.process.instance},
        .options = configured.outbox};
}

inbox::consumer_settings inbox_settings(const settings& configured) {
    return {.brokers = configured.kafka_brokers,
            .group = std::string(service_name),
            .instance = configured.process.instance};
}

} // namespace

app::app(const settings& configured, host::process& running)
    : process_(running), instances_max_(configured.instances_max),
      database_(pool_settings(configured), running.metrics(), running.logger()),
      passwords_({.threads = configured.argon2_threads}, running.metrics()),
      cache_({configured.memcached}, running.loop(), running.metrics()),
      profiles_(cache_, running.loop(), running.tasks(host::stage::workers)),
      relay_(relay_settings(configured), running.loop(), running.metrics(), running.logger()),
      bulk_pacer_(database_, relay_, configured.outbox, running.metrics(), running.logger()),
      inbox_(inbox_settings(configured), database_, running.loop(), running.metrics(),
             running.logger()),
      dependencies_{.database = database_,
                    .passwords = passwords_,
                    .time = running.time(),
                    .mail_token_key = configured.mail_token_key,
                    .media_public_url = configured.media_public_url,
                    .profiles = &profiles_},
      verifier_(configured.identity_public_key),
      server_({.listen = configured.listen}, routes(dependencies_), &verifier_, running.loop(),
              running.metrics(), running.logger()) {
    register_consumers(inbox_, running.logger(),
                       [this](account_id account) { profiles_.forget(account); });
    register_pools();
    register_workers();
    register_server();
}

std::unique_ptr<app> app::build(const settings& configured, host::process& running) {
    return std::make_unique<app>(configured, running);
}

void app::register_pools() {
    process_.add({.stage = host::stage::pools,
                  .name = "database",
                  .start = [this] { return database_.check_connection_budget(instances_max_); },
                  .stop = [this]() -> asio::awaitable<void> {
                      database_.stop();
                      co_return;
                  }});
    process_.add({.stage = host::stage::pools,
                  .name = "passwords",
                  .stop = [this]() -> asio::awaitable<void> {
                      passwords_.stop();
                      co_return;
                  }});
    process_.add_admin_routes(
        inbox::dead_letter_routes(database_, process_.time(), process_.logger()));
    process_.add_readiness("database", [this]() -> result<void> {
        if (!database_.reachable()) {
            return fail(error_kind::unavailable, "database-down", "PostgreSQL does not answer");
        }
        return {};
    });
}

void app::register_workers() {
    process_.run_task(host::stage::producers, "outbox-relay", [this] { return relay_.run(); });
    process_.run_task(host::stage::workers, "outbox-bulk", [this] { return bulk_pacer_.run(); });
    process_.run_task(host::stage::workers, "housekeeping", [this] { return keep_house(); });
    process_.run_task(host::stage::consumers, "inbox", [this] { return inbox_.run(); });
    process_.add_command({"drain", std::string(inbox::drain_usage), [this](const auto&) {
                              return inbox::run_drain(inbox_);
                          }});
    process_.add_command({"replay", std::string(inbox::replay_usage), [this](auto words) {
                              return inbox::run_replay(inbox_, std::move(words));
                          }});
}

void app::register_server() {
    process_.add({.stage = host::stage::acceptors,
                  .name = "http",
                  .start = [this]() -> asio::awaitable<result<void>> { co_return server_.start(); },
                  .stop =
                      [this] {
                          return server_.stop(stop_limit);
                      }});
    process_.on_drain([this] { server_.announce_drain(); });
}

/// Failures are the pool's to log and count; the next round tries again.
asio::awaitable<void> app::keep_house() {
    while (true) {
        co_await async::sleep_for(housekeeping_interval);
        auto sweep = [now = process_.time().now()](pg::transaction& tx) -> result<std::size_t> {
            return store::delete_outdated(tx, now, housekeeping_batch);
        };
        auto deleted = co_await database_.transact("housekeeping", sweep);
        while (deleted && *deleted >= housekeeping_batch) {
            deleted = co_await database_.transact("housekeeping", sweep);
        }
    }
}

} // namespace relais::web_api
