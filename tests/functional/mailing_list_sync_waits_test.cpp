#include "mailing-list-sync/store/tasks.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

TEST_CASE("what waits longer than anything may was put off before the wall clock went back",
          "[mailing-list-sync]") {
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    const test::database where({"mailing-list-sync"});
    pg::pool pool(where.pool_settings(1), metrics, {});
    const auto now = system_clock().now();
    const auto leased = [&](timestamp not_before) {
        std::size_t count = 0;
        const auto work = [&](pg::transaction& tx) -> result<void> {
            tx.exec("delete from sync_task");
            request_sync(tx, make_uuid_v7().text(), urgency::edit, not_before, {});
            count = lease_tasks(tx, "t", 8, now, 60s).size();
            return {};
        };
        REQUIRE(test::await_on(loop, pool.transact("test", work)));
        return count;
    };
    CHECK(leased(now) == 1);
    CHECK(leased(now + 1s) == 0);
    CHECK(leased(now + 15min) == 0);
    CHECK(leased(now + 1h) == 1);
}
