#include "notification/app.hpp"

#include "inbox/dead_letter_routes.hpp"
#include "inbox/one_off.hpp"
#include "notification/channels/email_mailjet.hpp"
#include "notification/channels/email_smtp.hpp"
#include "notification/channels/push_onesignal.hpp"
#include "notification/consumers/consumers.hpp"
#include "notification/routes.hpp"

#include <boost/asio/post.hpp>

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr const char* service_name = "notification";
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

std::unique_ptr<provider_channel> mail_channel(const settings& given, host::process& process) {
    if (given.mail_provider == "smtp") {
        return std::make_unique<email_smtp>(given.smtp, given.mail_from, process.metrics());
    }
    return std::make_unique<email_mailjet>(mailjet_settings{given.mailjet_url, given.mailjet_key,
                                                            given.mailjet_secret, given.mail_from,
                                                            given.provider_timeout},
                                           process.metrics(), process.logger());
}

std::unique_ptr<provider_channel> push_channel(const settings& given, host::process& process) {
    return std::make_unique<push_onesignal>(
        onesignal_settings{given.onesignal_url, given.onesignal_app_id, given.onesignal_key,
                           given.provider_timeout},
        process.metrics(), process.logger());
}

/// The claim holds half a call longer than the longest call, and 5 s more for waiting and
/// recording.
sender_settings sender_of(const settings& given, channel which) {
    const auto lease = given.provider_timeout * 3 / 2 + std::chrono::seconds(5);
    return {which, service_name, given.policy, lease};
}

} // namespace

app::app(const settings& given, host::process& process)
    : process_(process), templates_(given.templates_folder),
      composer_(templates_, {given.mail_from.name, given.public_url}, given.mail_token_key),
      database_(database_of(given), process.metrics(), process.logger()),
      relay_(relay_of(given), process.loop(), process.metrics(), process.logger()),
      bulk_pacer_(database_, relay_, given.outbox, process.metrics(), process.logger()),
      mail_(mail_channel(given, process)), push_(push_channel(given, process)),
      mail_sender_(sender_of(given, channel::mail), database_, *mail_, composer_, process.time(),
                   process.loop(), process.tasks(host::stage::workers), process.metrics(),
                   process.logger()),
      push_sender_(sender_of(given, channel::push), database_, *push_, composer_, process.time(),
                   process.loop(), process.tasks(host::stage::workers), process.metrics(),
                   process.logger()),
      webhooks_(database_, service_name, given.mail_token_key, process.time(), process.loop(),
                process.metrics(), process.logger()),
      inbox_({given.kafka_brokers, service_name, given.process.instance}, database_, process.loop(),
             process.metrics(), process.logger()),
      server_({given.listen},
              routes(database_, {given.mailjet_webhook_token, given.onesignal_webhook_token},
                     process.time(), waker(&app::wake_webhooks)),
              nullptr, process.loop(), process.metrics(), process.logger()) {
    register_consumers(inbox_, {service_name, given.mail_token_key, waker(&app::wake_senders)});
    register_parts(given);
}

/// A function that may be called on any thread, after a COMMIT, and wakes a worker on the loop.
std::function<void()> app::waker(void (app::*wake)()) {
    return [this, wake] {
        asio::post(process_.loop(), [this, wake] { (this->*wake)(); });
    };
}

void app::wake_senders() {
    mail_sender_.wake();
    push_sender_.wake();
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
                      mail_->stop();
                      push_->stop();
                      database_.stop();
                      co_return;
                  }});
    process_.run_task(stage::producers, "outbox-relay", [this] { return relay_.run(); });
    process_.run_task(stage::workers, "outbox-bulk", [this] { return bulk_pacer_.run(); });
    if (given.sending_enabled) {
        process_.run_task(stage::workers, "mail-sender", [this] { return mail_sender_.run(); });
        process_.run_task(stage::workers, "push-sender", [this] { return push_sender_.run(); });
    }
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

} // namespace relais::notification
