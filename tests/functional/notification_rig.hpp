#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "ids/encoding.hpp"
#include "inbox/consumer.hpp"
#include "notification/channels/email_mailjet.hpp"
#include "notification/channels/push_onesignal.hpp"
#include "notification/consumers/tell.hpp"
#include "notification/delivery/sender.hpp"
#include "notification/store/contacts.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/environment.hpp"
#include "support/sandbox.hpp"
#include "support/shifted_clock.hpp"

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>

#include <relais/identity/v1/account_events.pb.h>
#include <relais/market/v1/job_events.pb.h>
#include <string>

namespace relais::test {

namespace json = boost::json;

/// The notification service's sender on a real PostgreSQL and the sandbox, one person, no Kafka.
/// The waits of the policy are short; everything else is what production has.
class notification_rig {
public:
    explicit notification_rig(std::unique_ptr<notification::provider_channel> mail = nullptr)
        : database({"notification"}), pool(database.pool_settings(3), metrics, {}),
          templates(test::source_dir() + "/services/notification/templates"),
          composer(templates, {"Relais", "http://relais.test"}, config::secret(key)) {
        policy.look_up_waits = {std::chrono::milliseconds(400), std::chrono::milliseconds(800)};
        policy.look_up_again = std::chrono::milliseconds(100);
        policy.errors.first = std::chrono::milliseconds(50);
        policy.refused_channel = std::chrono::milliseconds(500);
        mail_channel = mail ? std::move(mail) : mailjet("sandbox-mailjet-secret");
        push_channel = std::make_unique<notification::push_onesignal>(
            notification::onesignal_settings{sandbox.url_of("onesignal"),
                                             "6e9bb0f5-2a41-4c5c-9d8e-0c9f5b7c1a52",
                                             config::secret("os_v2_app_sandbox")},
            metrics, log::logger());
        await_on(loop, sandbox.clear_faults());
        address = "p" + make_uuid_v7().text().substr(9) + "@example.org";
        subscription = make_uuid_v7().text();
        save_person();
    }

    ~notification_rig() {
        end_tasks();
        mail_channel->stop();
        push_channel->stop();
        await_on(loop, sandbox.clear_faults());
    }

    notification_rig(const notification_rig&) = delete;
    notification_rig& operator=(const notification_rig&) = delete;

    std::unique_ptr<notification::email_mailjet> mailjet(const std::string& secret) {
        return std::make_unique<notification::email_mailjet>(
            notification::mailjet_settings{sandbox.url_of("mailjet"),
                                           "sandbox-mailjet-key",
                                           config::secret(secret),
                                           {"Relais", "no-reply@relais.example"},
                                           std::chrono::seconds(3)},
            metrics, log::logger());
    }

    /// Starts the senders.
    void start(std::chrono::milliseconds lease = std::chrono::seconds(10)) {
        using notification::channel;
        mail_sender = std::make_unique<notification::sender>(
            notification::sender_settings{channel::mail, "notification", policy, lease}, pool,
            *mail_channel, composer, time, loop, running, metrics, log::logger());
        push_sender = std::make_unique<notification::sender>(
            notification::sender_settings{channel::push, "notification", policy, lease}, pool,
            *push_channel, composer, time, loop, running, metrics, log::logger());
        running.spawn("mail", mail_sender->run());
        running.spawn("push", push_sender->run());
    }

    void end_tasks() {
        running.cancel();
        await_on(loop, running.join());
    }

    /// Work in one transaction.
    void change(std::function<result<void>(pg::transaction&)> work) {
        const auto done = await_on(loop, pool.transact("test", std::move(work)));
        REQUIRE(done);
    }

    void save_person(bool validated = true, const std::string& locale = "nl-BE") {
        change([&](pg::transaction& tx) -> result<void> {
            notification::contact who;
            who.account = account;
            who.version = 1;
            who.email = address;
            who.email_validated = validated;
            who.address_hash = notification::address_hash(key, address);
            who.display_name = "Ann";
            who.locale = locale;
            who.devices = {{"d1", "onesignal", subscription, "web"}};
            save_contact(tx, who);
            notification::save_job(tx, job, 1, "Roof & gutter");
            return {};
        });
    }

    /// What the consumer of an event does.
    void tell(const events::event& cause, std::string_view kind, const notification::facts& known,
              std::optional<timestamp> until = std::nullopt) {
        change([&](pg::transaction& tx) -> result<void> {
            const notification::consumer_tools tools{"notification", config::secret(key), [this] {
                                                         boost::asio::post(loop,
                                                                           [this] { wake(); });
                                                     }};
            const inbox::context about{cause, time.now(), 1};
            return notification::tell(tx, kind, account.text(), known, about, tools, until);
        });
    }

    events::event validation_event() {
        identity::v1::EmailValidationRequested message;
        message.set_account_id(account.text());
        return events::make_event(message, "web-api",
                                  events::cause::from_request(trace::context::start(), "r1"),
                                  time.now());
    }

    notification::facts validation_facts() {
        notification::facts known;
        known.token_id = validation;
        known.token_expires_at = time.now() + std::chrono::hours(48);
        return known;
    }

    void request_validation() {
        tell(validation_event(), "validate_email", validation_facts());
    }

    void make_offer() {
        market::v1::OfferMade message;
        message.set_job_id(job.text());
        notification::facts known;
        known.job = job;
        known.offer = offer_id::make();
        known.price = notification::money{12'500, "EUR"};
        tell(events::make_event(message, "web-api",
                                events::cause::from_request(trace::context::start(), "r2"),
                                time.now()),
             "offer_made", known);
    }

    void wake() {
        if (mail_sender) {
            mail_sender->wake();
            push_sender->wake();
        }
    }

    /// Until a statement gives this value; the loop runs meanwhile.
    void wait_until(const std::string& sql, const std::string& value) {
        await_on(loop, [&]() -> boost::asio::awaitable<void> {
            const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
            while (database.value(sql) != value && std::chrono::steady_clock::now() < limit) {
                co_await async::sleep_for(std::chrono::milliseconds(10));
            }
        }());
        REQUIRE(database.value(sql) == value);
    }

    void wait_until_settled() {
        wait_until("select count(*) from delivery where settled_at is null", "0");
    }

    json::array mails() {
        return await_on(loop, sandbox.get("/mails?to=" + address)).as_array();
    }

    json::array pushes() {
        return await_on(loop, sandbox.get("/pushes?subscription_id=" + subscription)).as_array();
    }

    void fault(json::object script) {
        await_on(loop, sandbox.post("/faults", std::move(script)));
    }

    /// A column of the only delivery of a channel.
    std::string ledger(const std::string& column, const std::string& channel = "mail") {
        return database.value("select " + column + " from delivery where channel = '" + channel +
                              "'");
    }

    std::string settled_events() {
        return database.value(
            "select count(*) from outbox_event where topic = 'notify.delivery.events.v1'");
    }

    const std::string key = std::string(32, 'k');
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    shifted_clock time;
    test::database database;
    pg::pool pool;
    test::sandbox sandbox;
    notification::template_set templates;
    notification::composer composer;
    notification::delivery_policy policy;
    account_id account = account_id::make();
    job_id job = job_id::make();
    uuid validation = make_uuid_v7();
    std::string address;
    std::string subscription;
    std::unique_ptr<notification::provider_channel> mail_channel;
    std::unique_ptr<notification::provider_channel> push_channel;
    std::unique_ptr<notification::sender> mail_sender;
    std::unique_ptr<notification::sender> push_sender;
    async::task_group running{loop, [](const std::string& name, const std::string& what) {
                                  FAIL_CHECK(name << ": " << what);
                              }};
};

} // namespace relais::test
