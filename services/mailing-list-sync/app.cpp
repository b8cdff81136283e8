#include "mailing-list-sync/app.hpp"

#include "inbox/dead_letter_routes.hpp"
#include "inbox/one_off.hpp"
#include "mailing-list-sync/consumers/consumers.hpp"
#include "mailing-list-sync/routes.hpp"

#include <boost/asio/post.hpp>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

constexpr const char* service_name = "mailing-list-sync";
constexpr std::chrono::seconds finish_requests_within{15};

pg::pool_settings database_of(const settings& given) {
    pg::pool_settings out;
    out.url = given.database_url;
    out.application_name = given.process.instance;
    out.connections = given.database_connections;
    return out;
}

outbox::relay_settings relay_of(const settings& given) {
    return {service_name,
            given.database_url,
            {given.kafka_brokers, given.process.instance},
            given.outbox};
}

} // namespace

app::app(const settings& given, host::process& process)
    : process_(process), templates_(given.templates_folder),
      database_(database_of(given), process.metrics(), process.logger()),
      relay_(relay_of(given), process.loop(), process.metrics(), process.logger()),
      bulk_pacer_(database_, relay_, given.outbox, process.metrics(), process.logger()),
      provider_(given.brevo, process.metrics(), process.logger()), lists_(database_, provider_),
      contact_sync_({database_, provider_, lists_, process.time(), process.metrics(),
                     process.logger(), service_name, given.process.instance},
                    process.loop()),
      campaign_sync_({database_, provider_, lists_, templates_, process.time(), process.metrics(),
                      process.logger(), service_name, given.sender_name, given.sender_email},
                     process.loop()),
      webhooks_({database_, process.time(), process.metrics(), process.logger(), service_name,
                 waker(&app::wake_contacts), waker(&app::wake_campaigns)},
                process.loop()),
      setup_(provider_, lists_, given.webhook_url, given.webhook_token, process.metrics(),
             process.logger()),
      inbox_({given.kafka_brokers, service_name, given.process.instance}, database_, process.loop(),
             process.metrics(), process.logger()),
      server_({given.listen}, routes(database_, given.webhook_token, waker(&app::wake_webhooks)),
              nullptr, process.loop(), process.metrics(), process.logger()) {
    register_consumers(inbox_, {service_name, waker(&app::wake_contacts),
                                waker(&app::wake_campaigns), [this](const std::string& name) {
                                    return templates_.knows(name);
                                }});
    register_parts(given);
}

/// A function that may be called on any thread, after a COMMIT, and wakes a worker on the loop.
std::function<void()> app::waker(void (app::*wake)()) {
    return [this, wake] {
        asio::post(process_.loop(), [this, wake] { (this->*wake)(); });
    };
}

void app::wake_contacts() {
    contact_sync_.wake();
}

void app::wake_campaigns() {
    campaign_sync_.wake();
}

void app::wake_webhooks() {
    webhooks_.wake();
}

void app::register_parts(const settings& given) {
    using host::stage;
    process_.add({stage::pools, "database",
                  [this, instances = given.instances_max] {
                      return database_.check_connection_budget(instances);
                  },
                  [this]() -> asio::awaitable<void> {
                      provider_.stop();
                      database_.stop();
                      co_return;
                  }});
    process_.run_task(stage::producers, "outbox-relay", [this] { return relay_.run(); });
    process_.run_task(stage::workers, "outbox-bulk", [this] { return bulk_pacer_.run(); });
    process_.run_task(stage::workers, "provider-setup", [this] { return setup_.run(); });
    process_.run_task(stage::workers, "contact-sync", [this] { return contact_sync_.run(); });
    process_.run_task(stage::workers, "campaign-sync", [this] { return campaign_sync_.run(); });
    process_.run_task(stage::workers, "webhooks", [this] { return webhooks_.run(); });
    process_.run_task(stage::consumers, "inbox", [this] { return inbox_.run(); });
    process_.add_command({"drain", std::string(inbox::drain_usage), [this](const auto&) {
                              return inbox::run_drain(inbox_);
                          }});
    process_.add_command({"replay", std::string(inbox::replay_usage), [this](auto words) {
                              return inbox::run_replay(inbox_, std::move(words));
                          }});
    process_.add({stage::acceptors, "http",
                  [this]() -> asio::awaitable<result<void>> { co_return server_.start(); },
                  [this]() {
                      return server_.stop(finish_requests_within);
                  }});
    process_.on_drain([this] { server_.announce_drain(); });
    process_.add_admin_routes(
        inbox::dead_letter_routes(database_, process_.time(), process_.logger()));
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

} // namespace relais::mailing_list_sync
