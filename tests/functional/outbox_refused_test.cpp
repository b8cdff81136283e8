// Events that Kafka refuses for good: the relay stops there and says why, or goes on without them.
#include "ctl/outbox_state.hpp"
#include "functional/outbox_rig.hpp"
#include "outbox/refused.hpp"
#include "support/relaisctl.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <algorithm>

using namespace relais;
using namespace std::chrono_literals;
using outbox::refused_policy;
using test::contact_topic;
using test::deduplicated;
using test::job_topic;
using test::outbox_rig;

namespace {

void set_size_max(outbox_rig& on, const std::string& bytes) {
    REQUIRE(on.topics.admin().set_config(on.topics.prefix() + job_topic,
                                         {{"max.message.bytes", bytes}}));
}

std::optional<outbox::blocked_position> blocked(outbox_rig& on) {
    return on
        .transact([](pg::transaction& tx) -> result<std::optional<outbox::blocked_position>> {
            return outbox::find_blocked(tx);
        })
        .value();
}

double blocked_gauge(test::relay_instance& of) {
    return of.metrics
        .gauge("outbox_blocked", "1 while an event that Kafka refuses for good holds up the rest")
        .value();
}

double refused_count(test::relay_instance& of) {
    return of.metrics
        .counter("outbox_refused_total", "Events left behind because Kafka refuses them for good")
        .value();
}

/// The next relay begins at the beginning, and large records are no trouble to it.
void read_all_again(outbox_rig& on, test::relay_instance& before, test::relay_instance& next) {
    set_size_max(on, "1000000");
    on.stop(before);
    on.database.query("update outbox_progress set published = null, timeline = timeline + 1");
    next.start();
    on.wait_until([&] { return next.relay.current() == outbox::relay::state::streaming; });
}

std::string count(outbox_rig& on, const std::string& table) {
    return on.database.value("select count(*) from " + table);
}

struct made_topic {
    outbox_rig& on;
    std::string name;

    made_topic(outbox_rig& in, const std::string& topic, std::uint32_t partitions)
        : on(in), name(on.topics.prefix() + topic) {
        REQUIRE(on.topics.admin().create({.name = name, .partitions = partitions}));
    }

    ~made_topic() {
        static_cast<void>(on.topics.admin().remove(name));
    }

    made_topic(const made_topic&) = delete;
    made_topic& operator=(const made_topic&) = delete;
};

} // namespace

TEST_CASE("a record too large for the broker blocks, visibly, until the broker takes it",
          "[outbox][refused]") {
    outbox_rig on;
    set_size_max(on, "3000");
    auto relay = on.make_relay();
    relay.start();
    const bool from_table = GENERATE(false, true); // a repair, or the stream
    if (!from_table) {
        on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    }
    on.insert("k", 1, 30); // more than one batch may hold, but none of them too large
    on.insert_sized(job_topic, "k", 5'000);
    on.insert("k", 31, 40);
    on.insert("other", 1, 5);
    on.wait_until([&] { return blocked(on).has_value(); });
    on.wait_until([&] { return blocked_gauge(relay) == 1; });
    CHECK(relay.relay.current() == outbox::relay::state::blocked);
    const auto at = *blocked(on);
    CHECK(at.id->text() ==
          on.database.value("select id from outbox_event where length(value) > 9"));
    CHECK(at.topic == job_topic);
    CHECK(at.key == "k");
    CHECK(at.type == "a.B");
    CHECK(at.reason == "record-too-large");
    CHECK(at.next_step().find("max.message.bytes of " + job_topic) != std::string::npos);
    // Later tries send nothing else again.
    const auto sent = on.read_all().size();
    on.wait_until([&] { return blocked(on)->tries >= 3; });
    CHECK(on.read_all().size() == sent);
    CHECK(blocked(on)->since == at.since);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 30));
    const auto state = on.transact([](pg::transaction& tx) -> result<ctl::outbox_state> {
                             return ctl::look_at_outbox(tx);
                         }).value();
    CHECK(state.blocked.has_value());

    set_size_max(on, "1000000");
    on.wait_until([&] { return deduplicated(on.read_all())["other"].size() == 5; });
    on.wait_until([&] { return !blocked(on); });
    on.wait_until([&] { return blocked_gauge(relay) == 0; });
    on.stop(relay);
    const auto values = deduplicated(on.read_all());
    REQUIRE(values.at("k").size() == 41);
    CHECK(values.at("k")[30].size() == 5'000);
    CHECK(values.at("k")[40] == "40");
}

TEST_CASE("with divert the rest goes on, and the event can be published again",
          "[outbox][refused]") {
    outbox_rig on;
    set_size_max(on, "3000");
    auto relay = on.make_relay({.refused = refused_policy::divert});
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    on.database.query("insert into outbox_event (id, topic, key, headers, value)"
                      " select id, '" +
                      job_topic + "', 'k', json_build_object('ce_id', id), case n when 2 then " +
                      on.noise(5'000) +
                      " else n::text::bytea end from"
                      " (select gen_random_uuid() as id, n from generate_series(1, 3) n) e");
    on.insert("k", 4, 10);
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 9; });
    CHECK(refused_count(relay) == 1);
    CHECK_FALSE(blocked(on));
    const auto read = on.read_all();
    for (const auto& record : read) {
        // Those behind it in its transaction keep their place.
        CHECK((record.value != "3" || test::header(record, "x-idx") == "2"));
    }
    const auto refused =
        on.transact([](pg::transaction& tx) -> result<std::vector<outbox::refused_event>> {
              return outbox::list_refused(tx, false, 10);
          }).value();
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].reason == "record-too-large");
    CHECK(refused[0].key == "k");

    // It stays left behind, also for a relay that reads it again.
    auto next = on.make_relay();
    read_all_again(on, relay, next);
    const auto republish = [&] {
        return on.transact(
            [&](pg::transaction& tx) { return outbox::republish(tx, refused[0].id); });
    };
    CHECK(deduplicated(on.read_all()).at("k").size() == 9);
    REQUIRE(republish());
    CHECK(republish().error().slug == "no-such-refused-event");
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 10; });
    on.stop(next);
    CHECK(deduplicated(on.read_all()).at("k").back().size() == 5'000);
    CHECK(count(on, "outbox_refused where republished_seq is not null") == "1");
}

TEST_CASE("an event for a topic that is not there blocks until the topic is made",
          "[outbox][refused]") {
    outbox_rig on;
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 1, 5);
    on.insert_sized(contact_topic, "c", 3);
    on.insert("k", 6, 10);
    on.wait_until([&] { return blocked(on).has_value(); });
    CHECK(blocked(on)->topic == contact_topic);
    CHECK(blocked(on)->reason == "kafka-unknown-topic");
    CHECK(blocked(on)->next_step().find("relaisctl topics apply") != std::string::npos);
    const made_topic made(on, contact_topic, 12);
    on.wait_until([&] { return !blocked(on); });
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 10; });
    on.stop(relay);
    CHECK(on.topics.read_all(contact_topic).size() == 1);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 10));
}

TEST_CASE("with divert events for a missing topic are left behind until it is made",
          "[outbox][refused]") {
    outbox_rig on;
    auto relay = on.make_relay({.refused = refused_policy::divert});
    relay.start();
    for (int i = 1; i <= 20; ++i) {
        on.insert_sized(contact_topic, "c", i);
        on.insert("k", i, i);
    }
    on.wait_until([&] { return refused_count(relay) == 20; });
    CHECK(count(on, "outbox_refused") == "20");
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 20; });
    const made_topic made(on, contact_topic, 12);
    on.wait_until([&] {
        on.insert_sized(contact_topic, "c", 100);
        const auto ranges = on.topics.admin().offsets(on.topics.prefix() + contact_topic);
        return ranges &&
               std::ranges::any_of(*ranges, [](const auto& each) { return each.next > 0; });
    });
    on.stop(relay);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 20));
}

TEST_CASE("an event that holds up the rest can be given up, with a reason", "[outbox][refused]") {
    outbox_rig on;
    const made_topic audit(on, "ops.audit.events.v1", 3);
    set_size_max(on, "3000");
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    on.insert("k", 1, 3);
    on.insert_sized(job_topic, "k", 5'000);
    on.insert("k", 4, 6);
    on.wait_until([&] { return blocked(on).has_value(); });
    const auto id = *blocked(on)->id;
    CHECK(blocked(on)->next_step().find("relaisctl outbox discard") != std::string::npos);
    const auto words = "outbox discard " + id.text() + " --service web-api --by anna";
    CHECK(test::relaisctl(on.database, words + " --yes").code == 2); // no reason
    CHECK(test::relaisctl(on.database, words + " --why obsolete").has("would never be published"));
    CHECK(count(on, "outbox_refused") == "0");
    CHECK(blocked(on));
    const auto done = test::relaisctl(on.database, words + " --why obsolete --yes");
    CHECK(done.code == 0);
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 6; });
    on.wait_until([&] { return blocked_gauge(relay) == 0; });
    CHECK_FALSE(blocked(on));
    CHECK(count(on, "outbox_event where key like '%refused-event/" + id.text() + "'") == "1");
    CHECK(test::relaisctl(on.database, words + " --why again --yes").has("no-such-refused-event"));
    const auto all = test::relaisctl(on.database, "outbox refused --all --service web-api");
    CHECK(all.has("discarded by anna: obsolete"));
    CHECK_FALSE(test::relaisctl(on.database, "outbox refused --service web-api").has(id.text()));

    // Not even a relay that reads everything again publishes it.
    auto next = on.make_relay();
    read_all_again(on, relay, next);
    on.insert("k", 7, 7);
    on.wait_until([&] { return deduplicated(on.read_all())["k"].back() == "7"; });
    on.stop(next);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 7));
}

TEST_CASE("a partition stays while a refused event in it waits", "[outbox][refused]") {
    outbox_rig on;
    on.database.query("create table outbox_event_20200101 partition of outbox_event"
                      " for values from ('2020-01-01 00:00Z') to ('2020-01-02 00:00Z');"
                      " insert into outbox_event (at, id, topic, key, headers, value)"
                      " values ('2020-01-01 23:59:59Z', gen_random_uuid(), 't', 'old', '{}', 'x')");
    on.database.query("insert into outbox_refused (seq, at, id, topic, key, reason, detail)"
                      " select seq, at, id, topic, key, 'r', 'd' from outbox_event");
    on.database.query("update outbox_progress set published = pg_current_snapshot()");
    CHECK(on.database.value("select dropped from outbox_maintain(14, 8)") == "0");
    const bool discarded = GENERATE(false, true);
    on.database.query(discarded ? "update outbox_refused set discarded_at = now()"
                                : "update outbox_refused set republished_at = now()");
    CHECK(on.database.value("select dropped from outbox_maintain(14, 8)") == "1");
}
