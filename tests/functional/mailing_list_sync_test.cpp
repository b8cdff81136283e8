#include "ids/encoding.hpp"
#include "mailing-list-sync/store/contacts.hpp"
#include "mailing-list-sync/store/sync_state.hpp"
#include "mailing-list-sync/workers/campaign_sync.hpp"
#include "mailing-list-sync/workers/contact_sync.hpp"
#include "mailing-list-sync/workers/webhook_processor.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/environment.hpp"
#include "support/sandbox.hpp"

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace relais;
using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

namespace {

/// One service's workers against a database of their own and the sandbox's Brevo.
struct fixture {
    asio::io_context loop{1};
    metrics::registry metrics;
    system_clock time;
    test::sandbox sandbox;
    test::database where{{"mailing-list-sync"}};
    pg::pool database{where.pool_settings(3), metrics, {}};
    brevo provider{
        {sandbox.url_of("brevo"), config::secret("xkeysib-sandbox"), 10, 100}, metrics, {}};
    list_directory lists{database, provider};
    campaign_templates templates{test::source_dir() + "/services/mailing-list-sync/templates"};
    contact_sync contacts{{database, provider, lists, time, metrics, {}, "mailing-list-sync", "t"},
                          loop};
    campaign_sync campaigns{{database,
                             provider,
                             lists,
                             templates,
                             time,
                             metrics,
                             {},
                             "mailing-list-sync",
                             "Relais",
                             "noreply@relais.example"},
                            loop};
    webhook_processor webhooks{{database,
                                time,
                                metrics,
                                {},
                                "mailing-list-sync",
                                [] {},
                                [] {
                                }},
                               loop};
    async::task_group running{loop, [](const std::string&, const std::string&) {
                              }};
    const std::string account = make_uuid_v7().text();
    const std::string email = fmt::format("{}@example.be", account);
    const events::cause why = events::cause::from_request(trace::context::start(), "test");

    fixture() {
        test::await_on(loop, [this]() -> asio::awaitable<void> {
            co_await sandbox.clear_faults();
            co_await sandbox.post("/rate-limits", json::value{{"on", false}});
        }());
    }

    ~fixture() {
        test::await_on(loop, [this]() -> asio::awaitable<void> {
            running.cancel();
            co_await running.join();
        }());
        loop.restart();
        loop.run();
        provider.stop();
        database.stop();
    }

    void start() {
        running.spawn("contacts", contacts.run());
        running.spawn("campaigns", campaigns.run());
        running.spawn("webhooks", webhooks.run());
    }

    void change(std::function<void(pg::transaction&)> work) {
        const auto done = test::await_on(
            loop, database.transact("test", [work](pg::transaction& tx) -> result<void> {
                work(tx);
                return {};
            }));
        INFO((done ? std::string() : done.error().slug + ": " + done.error().detail));
        REQUIRE(done);
    }

    void opt_in() {
        change([this](pg::transaction& tx) {
            save_contact(tx, {account, email, true, "Ann", "nl", false}, 1);
            append_consent(tx, {account,
                                "newsletter",
                                "consent:1",
                                {consent_kind::granted, time.now() - 24h},
                                "test"});
            request_sync_if_needed(tx, account, time.now(), why);
        });
        contacts.wake();
    }

    json::value wait_for_contact(int count) {
        return test::await_on(loop, sandbox.wait_for_contact(email, count));
    }

    /// Until a statement gives this value; the loop runs meanwhile.
    void wait_until(const std::string& sql, const std::string& value) {
        test::await_on(loop, [&]() -> asio::awaitable<void> {
            const auto limit = std::chrono::steady_clock::now() + 20s;
            while (where.value(sql) != value && std::chrono::steady_clock::now() < limit) {
                co_await async::sleep_for(10ms);
            }
        }());
        REQUIRE(where.value(sql) == value);
    }

    void wait_until_no_task() {
        wait_until("select count(*) from sync_task", "0");
    }

    std::string events_of(const std::string& topic) {
        return where.value("select count(*) from outbox_event where topic = '" + topic + "'");
    }
};

} // namespace

TEST_CASE("somebody who opted in is on the provider's lists, and an event says so",
          "[mailing-list-sync]") {
    fixture service;
    service.start();
    service.opt_in();
    const auto found = service.wait_for_contact(1);
    REQUIRE(found.as_array().size() == 1);
    const auto& contact = found.as_array().front().as_object();
    CHECK(contact.at("listIds").as_array().size() == 2); // everybody's list and the Dutch one
    CHECK(contact.at("attributes").at("EXT_ID").as_string() == service.account);
    CHECK(contact.at("attributes").at("DISPLAY_NAME").as_string() == "Ann");
    service.wait_until_no_task();
    CHECK(service.events_of("marketing.contact.events.v1") == "1");
    CHECK(service.where.value("select count(*) from shadow") == "1");
}

TEST_CASE("a provider that fails is asked again; the person is there once", "[mailing-list-sync]") {
    const auto [kind, status] = GENERATE(table<std::string, int>({{"reset_after", 0},
                                                                  {"reset_before", 0},
                                                                  {"status", 500},
                                                                  {"status", 429},
                                                                  {"status", 425},
                                                                  {"truncated_json", 0}}));
    CAPTURE(kind, status);
    fixture service;
    test::await_on(service.loop,
                   service.sandbox.fault("brevo", "(POST|PUT) /v3/contacts", kind, 2, status));
    service.start();
    service.opt_in();
    service.wait_until_no_task();
    CHECK(service.wait_for_contact(1).as_array().size() == 1);
    CHECK(service.events_of("marketing.contact.events.v1") == "1");
}

TEST_CASE("a worker that died between call and record is made good by the next one",
          "[mailing-list-sync]") {
    fixture service;
    service.opt_in();
    service.change([&](pg::transaction& tx) {
        // As a killed worker of the same instance leaves it: leased, and done at the provider.
        lease_tasks(tx, "t", 1, service.time.now(), 60s);
    });
    test::await_on(service.loop, [&]() -> asio::awaitable<void> {
        const std::set<std::string> names{"newsletter", "newsletter nl"};
        const auto ids = co_await service.lists.ids_of(names, service.why.trace);
        contact_change change{service.account, {true, service.email, "Ann", "nl", {}}, *ids, {}};
        const auto done =
            co_await service.provider.create_contact(change, urgency::sign_up, service.why.trace);
        CHECK(done);
    }());
    service.start();
    service.wait_until_no_task();
    CHECK(service.wait_for_contact(1).as_array().size() == 1);
    CHECK(service.events_of("marketing.contact.events.v1") == "1");
}

TEST_CASE("an opt-out at the provider ends consent and membership here, once",
          "[mailing-list-sync]") {
    fixture service;
    service.start();
    service.opt_in();
    service.wait_until_no_task();
    const auto body =
        fmt::format(R"({{"event":"unsubscribed","email":"{}","ts_event":{},"id":1}})",
                    service.email, service.time.now().time_since_epoch().count() / 1'000'000);
    for (int repeat = 0; repeat < 2; ++repeat) {
        service.change([&](pg::transaction& tx) {
            keep_webhook(tx, {to_hex(sha256(as_bytes(body))), "brevo", body,
                              service.why.trace.traceparent()});
        });
        service.webhooks.wake();
    }
    service.wait_until("select count(*) from webhook_event where done_at is not null", "1");
    CHECK(service.where.value("select kind from consent_event where kind <> 'granted'") ==
          "provider_opt_out");
    CHECK(service.where.value("select cardinality(lists) from shadow") == "0");
    // Joined, opted out, left.
    CHECK(service.events_of("marketing.contact.events.v1") == "3");

    // A later edit of the profile does not bring the person back.
    service.change([&](pg::transaction& tx) {
        save_contact(tx, {service.account, service.email, true, "Ann B", "nl", false}, 2);
        request_sync_if_needed(tx, service.account, service.time.now() - 1h, service.why);
    });
    service.contacts.wake();
    service.wait_until_no_task();
    const auto there =
        test::await_on(service.loop, service.sandbox.get("/contacts?email=" + service.email));
    CHECK(there.as_array().front().at("attributes").at("DISPLAY_NAME").as_string() == "Ann B");
}

TEST_CASE("erasure removes the person at the provider", "[mailing-list-sync]") {
    fixture service;
    service.start();
    service.opt_in();
    service.wait_until_no_task();
    service.change([&](pg::transaction& tx) {
        erase_contact(tx, service.account, service.time.now());
        append_consent(
            tx,
            {service.account, "*", "erasure", {consent_kind::erased, service.time.now()}, "test"});
        request_sync_if_needed(tx, service.account, service.time.now(), service.why);
    });
    service.contacts.wake();
    service.wait_until_no_task();
    const auto there =
        test::await_on(service.loop, service.sandbox.get("/contacts?email=" + service.email));
    CHECK(there.as_array().empty());
    CHECK(service.where.value("select count(*) from shadow") == "0");
}

namespace {

std::size_t campaigns_tagged(fixture& service, const std::string& id) {
    const auto all = test::await_on(service.loop, service.sandbox.get("/campaigns"));
    std::size_t count = 0;
    for (const auto& each : all.as_array()) {
        count += each.at("tag").as_string().starts_with(id) ? 1 : 0;
    }
    return count;
}

marketing::v1::CampaignRequested spring(const std::string& id) {
    marketing::v1::CampaignRequested request;
    request.set_campaign_id(id);
    request.set_name("Spring");
    request.set_list("newsletter");
    request.set_locale("nl");
    request.set_template_("newsletter");
    return request;
}

} // namespace

TEST_CASE("a campaign is created, sent and followed, whatever answer is lost",
          "[mailing-list-sync]") {
    const auto lost = GENERATE(values<std::string>(
        {"", "POST /v3/emailCampaigns$", "POST /v3/emailCampaigns/.*/sendNow"}));
    CAPTURE(lost);
    fixture service;
    service.start();
    service.opt_in();
    service.wait_until_no_task();
    if (!lost.empty()) {
        test::await_on(service.loop, service.sandbox.fault("brevo", lost, "reset_after", 1));
    }
    const auto id = make_uuid_v7().text();
    service.change([&](pg::transaction& tx) {
        add_campaign(tx, spring(id), {"nl"}, 1, service.why, service.time.now());
    });
    service.campaigns.wake();
    service.wait_until("select state from campaign_part", "sent");
    CHECK(campaigns_tagged(service, id) == 1);
    CHECK(std::stoi(service.where.value("select sent from campaign_part")) >= 1);
    const auto mails = test::await_on(
        service.loop, service.sandbox.get("/mails?provider=brevo&to=" + service.email));
    CHECK(mails.as_array().size() == 1);
    CHECK(std::stoi(service.events_of("marketing.campaign.events.v1")) >= 2);
}
