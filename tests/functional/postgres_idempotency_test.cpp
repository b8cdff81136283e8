#include "postgres/idempotency.hpp"
#include "postgres/pool.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"

#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>

using namespace relais;
using namespace std::chrono_literals;

namespace {

const pg::idempotency_key key{"account-1", "key-1", "POST /v1/jobs", "hash-1"};
const pg::stored_answer answer{201, "application/json", "/v1/jobs/7", std::string("{\0}", 3)};

struct fixture {
    test::database database;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    pg::pool pool{database.pool_settings(2), metrics, log::logger()};
    timestamp now = system_clock().now();

    result<std::optional<pg::stored_answer>> take(const pg::idempotency_key& which, timestamp at,
                                                  bool keep = true) {
        auto work = [=](pg::transaction& tx) -> result<std::optional<pg::stored_answer>> {
            auto known = pg::take_key(tx, which, at);
            if (known && !*known && keep) {
                pg::keep_answer(tx, which, answer);
            }
            return known;
        };
        return test::await_on(loop, pool.transact("take", work));
    }
};

} // namespace

TEST_CASE("a repeat gets the first answer", "[postgres][idempotency]") {
    fixture on;
    CHECK(on.take(key, on.now) == std::nullopt);
    const auto repeat = on.take(key, on.now + 47h);
    REQUIRE(repeat);
    REQUIRE(*repeat);
    CHECK((*repeat)->status == 201);
    CHECK((*repeat)->content_type == "application/json");
    CHECK((*repeat)->location == "/v1/jobs/7");
    CHECK((*repeat)->body == answer.body);
}

TEST_CASE("another request under the same key is refused", "[postgres][idempotency]") {
    fixture on;
    REQUIRE(on.take(key, on.now));
    auto other = key;
    other.request_fingerprint = "hash-2";
    CHECK(on.take(other, on.now).error().slug == "idempotency-key-reused");
    other = key;
    other.route = "POST /v1/devices";
    CHECK(on.take(other, on.now).error().slug == "idempotency-key-reused");
    other = key;
    other.scope = "account-2"; // somebody else's key of the same name
    CHECK(on.take(other, on.now) == std::nullopt);
}

TEST_CASE("anonymous callers never get somebody else's answer", "[postgres][idempotency]") {
    fixture on;
    auto anonymous = key;
    anonymous.scope = "anonymous";
    CHECK(on.take(anonymous, on.now) == std::nullopt);
    CHECK(on.take(anonymous, on.now)->has_value());
    auto other = anonymous;
    other.request_fingerprint = "hash-2";
    CHECK(on.take(other, on.now) == std::nullopt);
}

TEST_CASE("keys expire, and expired ones are removed", "[postgres][idempotency]") {
    fixture on;
    CHECK(on.take(key, on.now) == std::nullopt);
    auto other = key;
    other.key = "key-2";
    CHECK(on.take(other, on.now) == std::nullopt);
    CHECK(on.take(key, on.now + 49h) == std::nullopt); // taken anew; the other is gone
    CHECK(on.database.value("select string_agg(key, ',') from idempotency_key") == "key-1");
}

TEST_CASE("a request that fails leaves no key behind", "[postgres][idempotency]") {
    fixture on;
    auto work = [&](pg::transaction& tx) -> result<void> {
        const auto known = pg::take_key(tx, key, on.now);
        CHECK(known == std::nullopt);
        return fail(error_kind::conflict, "no");
    };
    CHECK_FALSE(test::await_on(on.loop, on.pool.transact("take", work)));
    CHECK(on.take(key, on.now) == std::nullopt);
}

TEST_CASE("of two requests at once one acts, the other gets its answer",
          "[postgres][idempotency]") {
    fixture on;
    std::atomic<int> first{0};
    std::atomic<int> repeated{0};
    for (int i = 0; i < 2; ++i) {
        boost::asio::co_spawn(
            on.loop,
            [&]() -> boost::asio::awaitable<void> {
                auto work = [&](pg::transaction& tx) -> result<void> {
                    const auto known = pg::take_key(tx, key, on.now);
                    if (!known) {
                        return fail(known);
                    }
                    if (*known) {
                        ++repeated;
                        return {};
                    }
                    ++first;
                    tx.exec("select pg_sleep(0.2)");
                    pg::keep_answer(tx, key, answer);
                    return {};
                };
                const auto done = co_await on.pool.transact("take", work);
                CHECK(done);
            },
            boost::asio::detached);
    }
    on.loop.restart();
    on.loop.run();
    CHECK(first == 1);
    CHECK(repeated == 1);
}
