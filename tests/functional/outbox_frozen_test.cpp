// A relay that is frozen while its slot is dropped and repaired by another one.
#include "events/in_flight.hpp"
#include "functional/outbox_process.hpp"
#include "outbox/envelope_json.hpp"
#include "postgres/text_format.hpp"
#include "support/inbox_rig.hpp"

#include <csignal>

using namespace relais;
using namespace std::chrono_literals;
using test::outbox_rig;

namespace {

constexpr int keys = 24;

/// Whole events that the test's consumer handles, in one transaction; the key's number in `job`.
void insert_events(const outbox_rig& on, int count) {
    market::v1::JobPublished message;
    message.set_job_id("j");
    message.set_category("x");
    const auto model = events::make_event(message, "web-api",
                                          events::cause::from_request(trace::context::start(), "r"),
                                          system_clock().now());
    const auto headers = outbox::headers_to_json(events::to_headers(model));
    on.database.query(fmt::format(
        "insert into outbox_event (id, topic, key, headers, value)"
        " select id, '{}', 'k' || n % {}, replace('{}', '{}', id::text)::json, '{}'::bytea"
        " from (select gen_random_uuid() as id, n from generate_series(1, {}) n) numbered",
        test::job_topic, keys, headers, model.id.text(), pg::to_bytea(model.payload), count));
}

std::int64_t records_in(outbox_rig& on) {
    std::int64_t sum = 0;
    for (const auto& range :
         on.topics.admin().offsets(on.topics.prefix() + test::job_topic).value()) {
        sum += range.next;
    }
    return sum;
}

void drop_slot(outbox_rig& on) {
    on.wait_until([&] {
        try {
            on.database.query("select pg_terminate_backend(active_pid) from pg_replication_slots"
                              " where database = current_database()");
            on.database.query("select pg_drop_replication_slot(slot_name) from"
                              " pg_replication_slots where database = current_database()");
        } catch (const std::exception&) {
            return false; // not let go of yet
        }
        return true;
    });
}

} // namespace

TEST_CASE("a frozen relay that wakes after the repair does no harm", "[outbox][crash][frozen]") {
    outbox_rig on;
    on.database.query("create table effect (n bigserial, job text not null, category text,"
                      " attempt int, event_id uuid);"
                      " create table contact (id text primary key, version bigint)");
    REQUIRE(on.topics.admin().create(
        {.name = on.topics.prefix() + test::contact_topic, .partitions = 12}));
    test::inbox_instance consumer(on.database.url(), on.topics.prefix(), "one", on.loop);
    consumer.start();

    auto frozen = test::start_relay(on);
    on.wait_until([&] { return test::slot_taken(on); });
    constexpr int total = 8'000;
    insert_events(on, total);
    on.wait_until([&] { return records_in(on) > 500; });
    frozen.send(SIGSTOP);
    const auto old_epoch = std::stoull(on.database.value("select epoch from outbox_progress"));
    drop_slot(on);
    auto successor = on.make_relay();
    successor.start();
    on.wait_until([&] { return successor.published() >= 1; });
    const auto before = on.topics.admin().offsets(on.topics.prefix() + test::job_topic).value();
    frozen.send(SIGCONT);

    const auto count = [&](const std::string& what) {
        return std::stoi(on.database.value("select count(" + what + ") from effect"));
    };
    on.wait_until([&] { return count("distinct event_id") == total; });
    on.wait_until([&] { return successor.relay.current() == outbox::relay::state::streaming; });
    insert_events(on, 10); // so that all that came before has been looked at
    on.wait_until([&] { return count("distinct event_id") == total + 10; });
    CHECK(count("*") == total + 10);
    // Per key in the order of the commits: here, of the insert.
    CHECK(on.database.value("select count(*) from (select e.n, lag(e.n) over (partition by o.key"
                            " order by o.seq) as before from effect e join outbox_event o"
                            " on o.id = e.event_id) f where n < before") == "0");
    on.stop(successor);
    consumer.stop();
    frozen.kill();

    std::map<std::int32_t, std::size_t> late;
    std::size_t all_late = 0;
    for (const auto& record : on.read_all()) {
        const auto& range = before[static_cast<std::size_t>(record.partition)];
        if (std::get<0>(test::position(record)) == old_epoch && record.offset >= range.next) {
            ++late[record.partition];
            ++all_late;
        }
    }
    CAPTURE(all_late);
    for (const auto& [partition, number] : late) {
        CHECK(number <= events::in_flight_max);
    }
    static_cast<void>(on.topics.admin().remove(on.topics.prefix() + test::contact_topic));
}
