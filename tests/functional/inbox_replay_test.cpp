#include "postgres/connection_string.hpp"
#include "support/inbox_rig.hpp"
#include "support/tcp_gate.hpp"

using namespace relais;
using texts = std::vector<std::string>;

namespace {

struct seen {
    std::vector<std::string> lines; ///< "key outcome effects"
    inbox::replay_progress end;
};

seen replay(test::inbox_rig& on, test::inbox_instance& one, inbox::replay_request what) {
    seen all;
    auto report = [&all](const inbox::replayed* event, const inbox::replay_progress&) {
        if (event != nullptr) {
            all.lines.push_back(event->record.key + " " + std::string(to_string(event->what)) +
                                " " + std::to_string(event->effects.size()));
        }
    };
    const auto done = test::await_on(on.loop, one.consumer().replay(std::move(what), report));
    REQUIRE(done);
    all.end = *done;
    return all;
}

/// Three events, handled once by the group.
void handle_some(test::inbox_rig& on, test::inbox_instance& one) {
    on.publish("a", "1");
    on.publish("b", "2");
    on.publish("a", "3");
    one.start();
    on.wait_for_effects(3);
    one.stop();
}

} // namespace

TEST_CASE("a muted replay tells what would happen, and nothing happens", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    handle_some(on, one);
    const auto marks = on.database.query("select * from inbox_watermark");
    const auto all = replay(on, one, {.topic = test::job_topic, .name = "look"});
    CHECK(all.lines == texts{"a muted 1", "b muted 1", "a muted 1"});
    CHECK(all.end.done == 3);
    CHECK(all.end.remaining == 0);
    CHECK(on.effects().size() == 3);
    CHECK(on.database.query("select * from inbox_watermark") == marks);
    CHECK(on.count("inbox_seen") == 0);
}

TEST_CASE("a live replay runs a stretch of a topic once, however often it is begun", "[inbox]") {
    test::inbox_rig on(1);
    on.publish("a", "1");
    on.publish("b", "2");
    on.publish("a", "3");
    on.publish("c", "invalid");
    on.publish("c", "4");
    on.publish("d", "5");
    auto one = on.make_instance();
    one.start();
    on.wait_for_effects(5);
    one.stop();
    const inbox::replay_request what{
        .topic = test::job_topic, .name = "again", .live = true, .partition = 0, .from_offset = 1};
    const auto first = replay(on, one, what);
    CHECK(first.lines == texts{"b done 1", "a done 1", "c failed 1", "c behind 0", "d done 1"});
    CHECK(first.end.failed == 2);
    CHECK(on.effects("a") == texts{"1", "3", "3"});
    const auto second = replay(on, one, what);
    CHECK(second.lines == texts{"b again 0", "a again 0", "c failed 1", "c behind 0", "d again 0"});
    CHECK(on.effects().size() == 8);
    CHECK(on.count("inbox_dead_letter") == 1); // the group's own
    CHECK(on.database.value("select count(*) from outbox_event where key like"
                            " '%/replay/market.job.events.v1/again'") == "2");
}

TEST_CASE("a replay is bounded by offsets, time, key and type", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    handle_some(on, one);
    const auto lines = [&](inbox::replay_request what) {
        what.topic = test::job_topic;
        what.name = "bounds";
        return replay(on, one, std::move(what)).lines;
    };
    CHECK(lines({.partition = 0, .from_offset = 1, .until_offset = 2}) == texts{"b muted 1"});
    CHECK(lines({.key = "b"}) == texts{"b muted 1"});
    CHECK(lines({.type = "relais.market.v1.JobClosed"}).empty());
    CHECK(lines({.from_time = system_clock().now() + std::chrono::hours(1)}).empty());
    CHECK(lines({.until_time = system_clock().now() - std::chrono::hours(1)}).empty());
    CHECK(lines({.from_time = system_clock().now() - std::chrono::hours(1)}).size() == 3);
}

TEST_CASE("an old snapshot that is replayed does not replace a newer one", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    one.start();
    on.send(on.make_contact("anna", 1));
    on.send(on.make_contact("anna", 2));
    on.wait_until([&] { return on.database.value("select max(version) from contact") == "2"; });
    one.stop();
    const auto all =
        replay(on, one, {.topic = test::contact_topic, .name = "contacts", .live = true});
    CHECK(all.end.skipped >= 1);
    CHECK(all.end.failed == 0);
    CHECK(on.database.value("select version from contact") == "2");
}

TEST_CASE("a database that goes away in a replay fails no event", "[inbox]") {
    test::inbox_rig on(1);
    for (int i = 0; i < 20; ++i) {
        on.publish("job-" + std::to_string(i % 4), std::to_string(i));
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
    auto keywords = pg::parse_connection_string(on.database.url()).value();
    test::tcp_gate gate(
        {keywords.at("host"), static_cast<std::uint16_t>(std::stoi(keywords.at("port")))});
    keywords["host"] = "127.0.0.1";
    keywords["port"] = std::to_string(gate.port());
    test::inbox_instance one(pg::to_connection_string(keywords), on.topics.prefix(), "one",
                             on.loop);
    bool waited = false;
    auto report = [&](const inbox::replayed* event, const inbox::replay_progress& now) {
        if (event != nullptr && now.done == 5) {
            gate.close();
        } else if (now.waits_for == "database") {
            waited = true;
            gate.open();
        }
    };
    const auto done = test::await_on(
        on.loop, one.consumer().replay({.topic = test::job_topic, .name = "again", .live = true},
                                       std::move(report)));
    REQUIRE(done);
    CHECK(waited);
    CHECK(done->done == 20);
    CHECK(done->failed == 0);
    CHECK(on.effects().size() == 20);
    CHECK(on.effects("job-1") == texts{"1", "5", "9", "13", "17"});
}

TEST_CASE("draining consumes what is there and returns", "[inbox]") {
    test::inbox_rig on(3);
    auto one = on.make_instance();
    for (int i = 0; i < 50; ++i) {
        on.publish("job-" + std::to_string(i), i == 20 ? "fail-9" : "ok");
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
    CHECK(test::await_on(on.loop, one.consumer().drain()));
    CHECK(on.effects().size() == 49);
    CHECK(on.count("inbox_parked") + on.count("inbox_dead_letter") == 1);
    on.publish("later", "ok");
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
    CHECK(test::await_on(on.loop, one.consumer().drain()));
    CHECK(on.effects("later") == texts{"ok"});
}

TEST_CASE("inline, an event is handled in the caller's transaction", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    pg::pool pool({.url = on.database.url(), .application_name = "test", .connections = 1},
                  on.metrics, log::logger());
    const auto run = [&](const events::event& event) {
        auto work = [&](pg::transaction& tx) {
            return one.consumer().handle_inline(tx, event, system_clock().now());
        };
        return test::await_on(on.loop, pool.transact("inline", work));
    };
    CHECK(run(on.make_job("a", "ok")) == true);
    CHECK(on.effects() == texts{"ok"});
    const auto refused = run(on.make_job("a", "invalid"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "never");
    CHECK(on.effects().size() == 1);
}
