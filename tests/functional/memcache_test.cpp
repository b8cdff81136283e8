#include "ids/uuid.hpp"
#include "memcache/client.hpp"
#include "support/environment.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch_test_macros.hpp>

namespace asio = boost::asio;
using namespace relais;
using namespace std::chrono_literals;

namespace {

void run(asio::io_context& loop, asio::awaitable<void> body) {
    asio::co_spawn(loop, std::move(body), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop.run();
}

memcache::client_settings server() {
    return {test::endpoint_from("RELAIS_TEST_MEMCACHED"), 500ms};
}

} // namespace

TEST_CASE("values are kept, overwritten and removed", "[memcache]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    memcache::client cache(server(), loop, metrics);
    run(loop, [&]() -> asio::awaitable<void> {
        const std::string key = "test:" + make_uuid_v7().text();
        CHECK_FALSE(co_await cache.get(key));
        std::string big(100'000, 'x');
        big += "\r\nHD\r\n";
        co_await cache.set(key, big, 60s);
        const auto found = co_await cache.get(key);
        REQUIRE(found);
        CHECK(*found == big);
        co_await cache.set(key, "", 60s);
        CHECK(co_await cache.get(key) == "");
        CHECK(co_await cache.remove(key));
        CHECK_FALSE(co_await cache.get(key));
        CHECK(co_await cache.remove(key)); // not there is as good as removed
    }());
}

TEST_CASE("one of those who miss fills the gap, and not after a removal", "[memcache]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    memcache::client cache(server(), loop, metrics);
    run(loop, [&]() -> asio::awaitable<void> {
        const std::string key = "test:" + make_uuid_v7().text();
        const auto first = co_await cache.get_or_lease(key);
        const auto second = co_await cache.get_or_lease(key);
        CHECK_FALSE(first.value);
        REQUIRE(first.lease);
        CHECK_FALSE(second.value);
        CHECK_FALSE(second.lease);
        co_await cache.set_leased(key, "current", 60s, *first.lease);
        const auto filled = co_await cache.get_or_lease(key);
        CHECK(filled.value == "current");

        co_await cache.remove(key);
        const auto slow = co_await cache.get_or_lease(key);
        REQUIRE(slow.lease);
        co_await cache.remove(key); // what `slow` is reading has just changed
        co_await cache.set_leased(key, "outdated", 60s, *slow.lease);
        const auto after = co_await cache.get_or_lease(key);
        CHECK_FALSE(after.value);
        CHECK(after.lease);
    }());
}

TEST_CASE("a server that does not answer costs no more than the timeout, then nothing",
          "[memcache]") {
    asio::io_context loop(1);
    asio::ip::tcp::acceptor silent(loop, {asio::ip::make_address("127.0.0.1"), 0});
    metrics::registry metrics;
    memcache::client cache({{"127.0.0.1", silent.local_endpoint().port()}, 20ms}, loop, metrics);
    run(loop, [&]() -> asio::awaitable<void> {
        const auto start = std::chrono::steady_clock::now();
        CHECK_FALSE(co_await cache.get("key"));
        for (int i = 0; i < 1000; ++i) {
            CHECK_FALSE(co_await cache.get("key"));
        }
        CHECK_FALSE(co_await cache.remove("key")); // it could not be told
        CHECK(std::chrono::steady_clock::now() - start < 500ms);
    }());
}
