// However many timers are pending, looking for the due ones reads the head of an index.
#include "support/timers_rig.hpp"
#include "timers/store.hpp"

#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr int pending = 30'000;

/// How often the table was read as a whole, and how many index entries were read.
struct reads {
    std::int64_t tables = 0;
    std::int64_t entries = 0;
};

reads count_reads(const test::database& database) {
    database.query("select pg_stat_force_next_flush()");
    const auto row = database.query(
        "select (select seq_scan from pg_stat_user_tables where relname = 'timer'),"
        " (select sum(idx_tup_read) from pg_stat_user_indexes where relname = 'timer')")[0];
    return {std::stoll(row[0]), std::stoll(row[1])};
}

} // namespace

TEST_CASE("what is due is found without reading what is pending", "[timers]") {
    test::timers_rig on;
    const auto now = on.time.now();
    on.database.query("insert into timer (id, kind, due_at, payload, priority) select 'p' || n,"
                      " case when n % 2 = 0 then 'a' else 'b' end,"
                      " now() + interval '1 day' + n * interval '1 s', '', n % 5"
                      " from generate_series(1, " +
                      std::to_string(pending) + ") n");
    on.database.query("insert into timer (id, kind, due_at, payload, priority) select 'd' || n,"
                      " 'a', now() - n * interval '1 s', '', 1 from generate_series(1, 100) n");
    // With statistics and without, planned for these values or for any.
    const auto analyzed = GENERATE(false, true);
    const auto mode = GENERATE("auto", "force_generic_plan");
    if (analyzed) {
        on.database.query("analyze timer");
    }
    const auto before = count_reads(on.database);
    const auto found = on.transact([&](pg::transaction& tx) -> result<std::size_t> {
        tx.exec("select set_config('plan_cache_mode', $1, true)", {mode});
        std::size_t claimed = 0;
        for (int look = 0; look < 10; ++look) {
            const auto lanes = timers::find_lanes(tx, {"a", "b", "none"});
            REQUIRE(lanes.size() == 10);
            for (const auto& lane : lanes) {
                if (lane.next <= now) {
                    claimed += timers::claim(tx, lane, 3, now).size();
                }
            }
        }
        return claimed;
    });
    CHECK(found == 30);
    // The pool's connection tells what it counted when it ends its transaction, or a second later.
    auto after = count_reads(on.database);
    on.wait_until([&] {
        REQUIRE(on.transact([](pg::transaction& tx) -> result<void> {
            tx.exec("select pg_stat_force_next_flush()");
            return {};
        }));
        after = count_reads(on.database);
        return after.entries > before.entries;
    });
    CHECK(after.tables == before.tables);
    CHECK(after.entries - before.entries < 3'000);
}
