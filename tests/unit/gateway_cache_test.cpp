#include "gateway/cache/cache_directives.hpp"
#include "gateway/cache/cache_metrics.hpp"
#include "gateway/cache/cached_answer.hpp"
#include "gateway/cache/response_cache.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;
using std::chrono::seconds;
using steady = cached_answer::steady;

namespace {

constexpr steady::time_point start{std::chrono::hours(1)};

http::request_head get(std::vector<http::field_view> fields = {}) {
    http::request_head out;
    out.method = "GET";
    out.path = "/a";
    out.host = "shop.example";
    out.fields = std::move(fields);
    return out;
}

answer_head answer_with(std::vector<http::field_view> fields, int status = 200) {
    answer_head out;
    out.status = status;
    out.has_body = true;
    out.fields = std::move(fields);
    return out;
}

std::shared_ptr<cached_answer> keep(std::vector<http::field_view> fields, int status = 200,
                                    const cache_policy& policy = {},
                                    const http::request_head& asked = get()) {
    return keep_answer(asked, answer_with(std::move(fields), status), policy, start);
}

std::shared_ptr<cached_answer> whole(std::shared_ptr<cached_answer> of, std::size_t bytes = 10) {
    REQUIRE(of != nullptr);
    of->body = std::make_shared<const std::string>(bytes, 'x');
    return of;
}

response_cache::found find(response_cache& in, const http::request_head& asked,
                           steady::time_point now, int* woken = nullptr) {
    return in.find("key", asked, now, nullptr, [woken] {
        if (woken != nullptr) {
            ++*woken;
        }
    });
}

using state = response_cache::state;

} // namespace

TEST_CASE("what Cache-Control says", "[gateway]") {
    const auto says = cache_directives::of({{"cache-control", "Max-Age=5, s-maxage=\"7\""},
                                            {"Cache-Control", "stale-if-error=9,max-age=3"}});
    CHECK(says.max_age == seconds(3)); // the shorter of two
    CHECK(says.s_maxage == seconds(7));
    CHECK(says.must_revalidate);
    CHECK(says.stale_if_error == seconds(9));
    CHECK(cache_directives::of({{"Cache-Control", "no-cache=\"set-cookie\""}}).no_cache);
    CHECK(cache_directives::of({{"Cache-Control", "private=x"}}).is_private);
    CHECK(cache_directives::of({{"Cache-Control", "max-age=x"}}).max_age == seconds(0));
    CHECK(parse_delta_seconds("99999999999999999999") == seconds(std::int64_t{1} << 31));
    CHECK_FALSE(parse_delta_seconds("-1"));
    CHECK_FALSE(parse_delta_seconds(""));
}

TEST_CASE("which requests come to the cache", "[gateway]") {
    CHECK(may_use_cache(get()));
    CHECK(may_use_cache(get({{"Cookie", "a=b"}, {"Cache-Control", "no-cache"}})));
    CHECK_FALSE(may_use_cache(get({{"Authorization", "Bearer x"}})));
    CHECK_FALSE(may_use_cache(get({{"Range", "bytes=0-1"}})));
    auto post = get();
    post.method = "POST";
    CHECK_FALSE(may_use_cache(post));
    CHECK(cache_key(get(), false) != cache_key(get(), true));
}

TEST_CASE("which answers are kept, and how long", "[gateway]") {
    struct row {
        std::vector<http::field_view> fields;
        int status;
        int lifetime; ///< -1: not kept
    };

    const auto each =
        GENERATE(row{{{"Cache-Control", "max-age=60"}}, 200, 60},
                 row{{{"Cache-Control", "max-age=60, s-maxage=5"}}, 200, 5},
                 row{{{"Cache-Control", "public"}}, 200, -1}, row{{}, 200, -1},
                 row{{{"Cache-Control", "max-age=60, no-store"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=60, private"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=60"}, {"Vary", "Accept, *"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=60"}}, 206, -1},
                 row{{{"Cache-Control", "max-age=60"}}, 500, -1},
                 row{{{"Cache-Control", "max-age=60"}}, 404, 60},
                 row{{{"Cache-Control", "max-age=60"}}, 301, 60},
                 row{{{"Cache-Control", "max-age=60"}, {"Age", "60"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=60"}, {"Age", "10"}}, 200, 60},
                 row{{{"Cache-Control", "max-age=0"}}, 200, -1},
                 row{{{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}, 200, 0},
                 row{{{"Cache-Control", "no-cache, max-age=60"}, {"ETag", "\"a\""}}, 200, 0},
                 row{{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                      {"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"}},
                     200,
                     60},
                 row{{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Expires", "0"}}, 200, -1},
                 row{{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                      {"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"},
                      {"Cache-Control", "max-age=5"}},
                     200,
                     5},
                 row{{{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}, 200, 0});
    const auto kept = keep(each.fields, each.status);
    CHECK((kept == nullptr ? -1 : static_cast<int>(kept->lifetime.count())) == each.lifetime);
}

TEST_CASE("what the request and the route add", "[gateway]") {
    CHECK(keep({}, 200, {.default_ttl = seconds(9)})->lifetime == seconds(9));
    CHECK_FALSE(
        keep({{"Cache-Control", "max-age=60"}}, 200, {}, get({{"Cache-Control", "no-store"}})));
    const cache_policy policy{.stale_while_revalidate = seconds(7), .stale_if_error = seconds(8)};
    const auto plain = keep({{"Cache-Control", "max-age=60"}}, 200, policy);
    CHECK(plain->stale_while_revalidate == seconds(7));
    CHECK(plain->stale_if_error == seconds(8));
    const auto strict = keep({{"Cache-Control", "max-age=60, must-revalidate"}}, 200, policy);
    CHECK(strict->stale_while_revalidate == seconds(0));
    CHECK(strict->stale_if_error == seconds(0));
    const auto own = keep({{"Cache-Control", "max-age=60, stale-while-revalidate=1"}}, 200, policy);
    CHECK(own->stale_while_revalidate == seconds(1));
    auto large = answer_with({{"Cache-Control", "max-age=60"}});
    large.content_length = policy.entry_bytes_max + 1;
    CHECK(keep_answer(get(), large, policy, start) == nullptr);
}

TEST_CASE("what is kept of an answer", "[gateway]") {
    const auto kept = keep({{"Cache-Control", "max-age=60"},
                            {"Age", "5"},
                            {"ETag", "\"a\""},
                            {"X-Request-Id", "r"},
                            {"Surrogate-Key", "jobs job-7"},
                            {"Cache-Tag", "a,b"}});
    REQUIRE(kept->fields.size() == 2);
    CHECK(kept->tags == std::vector<std::string>{"jobs", "job-7", "a", "b"});
    CHECK(kept->age(start + seconds(3)) == seconds(8));
    CHECK(kept->is_fresh(start + seconds(54)));
    CHECK_FALSE(kept->is_fresh(start + seconds(55)));
    const auto fresh =
        freshen(*kept, get(), answer_with({{"Cache-Control", "max-age=10"}, {"X-New", "1"}}, 304),
                {}, start + seconds(100));
    CHECK(fresh->lifetime == seconds(10));
    CHECK(fresh->is_fresh(start + seconds(109)));
    CHECK(fresh->fields.size() == 3);
    CHECK(fresh->tags == kept->tags);
    CHECK(fresh->status == 200);
}

TEST_CASE("answers vary by what they say", "[gateway]") {
    response_cache cache(std::size_t{8} << 20);
    const auto english = get({{"Accept-Language", "en"}});
    const auto french = get({{"accept-language", "fr"}});
    REQUIRE(find(cache, english, start).is == state::lead);
    cache.put("key",
              whole(keep({{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language"}}, 200, {},
                         english)),
              start);
    cache.end("key", false, start);
    CHECK(find(cache, english, start).is == state::hit);
    CHECK(cache.look("key", french, start).is == state::pass);
    CHECK(find(cache, french, start).is == state::lead);
}

TEST_CASE("one asks, the others wait; whoever fails does not take them along", "[gateway]") {
    response_cache cache(std::size_t{8} << 20);
    int woken = 0;
    REQUIRE(find(cache, get(), start).is == state::lead);
    REQUIRE(find(cache, get(), start, &woken).is == state::wait);
    REQUIRE(find(cache, get(), start, &woken).is == state::wait);
    cache.end("key", false, start); // failed
    CHECK(woken == 2);
    REQUIRE(find(cache, get(), start).is == state::lead);
    REQUIRE(find(cache, get(), start, &woken).is == state::wait);
    cache.put("key", whole(keep({{"Cache-Control", "max-age=60"}})), start);
    cache.end("key", false, start);
    CHECK(woken == 3);
    CHECK(find(cache, get(), start).is == state::hit);
    const auto later = start + seconds(60);
    REQUIRE(find(cache, get(), later).is == state::lead);
    cache.remove("key", later);
    cache.end("key", true, later);
    CHECK(find(cache, get(), later).is == state::pass); // nobody waits for what cannot be kept
    CHECK(find(cache, get(), later + seconds(3)).is == state::lead);
}

TEST_CASE("what is stale is given while one asks anew", "[gateway]") {
    response_cache cache(std::size_t{8} << 20);
    REQUIRE(find(cache, get(), start).is == state::lead);
    cache.put("key", whole(keep({{"Cache-Control", "max-age=60, stale-while-revalidate=10"}})),
              start);
    cache.end("key", false, start);
    const auto first = find(cache, get(), start + seconds(65));
    CHECK(first.is == state::stale);
    CHECK(first.refreshes);
    const auto second = find(cache, get(), start + seconds(65));
    CHECK(second.is == state::stale);
    CHECK_FALSE(second.refreshes);
    cache.end("key", false, start);
    const auto too_late = find(cache, get(), start + seconds(70));
    CHECK(too_late.is == state::lead);
    CHECK(too_late.kept != nullptr);
}

TEST_CASE("memory is bounded, the longest unused goes first", "[gateway]") {
    response_cache cache(std::size_t{8} * 100'000);
    for (int i = 0; i < 1'000; ++i) {
        cache.put(fmt::format("k{}", i), whole(keep({{"Cache-Control", "max-age=60"}}), 10'000),
                  start);
        cache.look("k0", get(), start);
    }
    const auto seen = cache.look_at();
    CHECK(seen.bytes <= std::size_t{8} * 100'000);
    CHECK(seen.bytes_max == std::size_t{8} * 100'000);
    CHECK(seen.stored == 1'000);
    CHECK(seen.answers + seen.evicted == 1'000);
    CHECK(seen.answers >= 8);
    CHECK(cache.look("k0", get(), start).is == state::hit);
    CHECK(cache.look("k1", get(), start).is == state::pass);
    CHECK(cache.look("k999", get(), start).is == state::hit);
    cache.put("huge", whole(keep({{"Cache-Control", "max-age=60"}}), 100'001), start);
    CHECK(cache.look("huge", get(), start).is == state::pass);
}

TEST_CASE("a purge holds for what is under way, too", "[gateway]") {
    response_cache cache(std::size_t{8} << 20);
    const auto tagged = [] {
        return whole(keep({{"Cache-Control", "max-age=60"}, {"Surrogate-Key", "jobs"}}));
    };
    cache.put("a", tagged(), start);
    cache.put("b", whole(keep({{"Cache-Control", "max-age=60"}})), start);
    CHECK(cache.purge("jobs", start + seconds(1)) == 1);
    CHECK(cache.look("a", get(), start).is == state::pass);
    CHECK(cache.look("b", get(), start).is == state::hit);
    cache.put("a", tagged(), start); // was asked for before the purge
    CHECK(cache.look("a", get(), start).is == state::pass);
    cache.put("a", tagged(), start + seconds(2));
    CHECK(cache.look("a", get(), start).is == state::hit);
    CHECK(cache.purge("*", start + seconds(3)) == 2);
    CHECK(cache.look_at().purged == 3);
    CHECK(cache.look_at().answers == 0);
    CHECK(cache.look("b", get(), start).is == state::pass);
}

TEST_CASE("what the cache holds is on the page", "[gateway]") {
    response_cache cache(std::size_t{8} << 20);
    metrics::registry registry;
    const cache_metrics shown(cache, registry);
    CHECK_THAT(registry.serialize(), ContainsSubstring("\ngateway_cache_answers 0\n") &&
                                         ContainsSubstring("\ngateway_cache_bytes_max 8388608\n"));
    const auto one = [] {
        return whole(keep({{"Cache-Control", "max-age=60"}}), 1'000);
    };
    cache.put("a", one(), start);
    cache.put("a", one(), start);
    cache.put("b", one(), start);
    cache.remove("b", start);
    CHECK(cache.purge("*", start) == 1);
    cache.put("c", one(), start + seconds(1));
    const auto page = registry.serialize();
    CHECK_THAT(page, ContainsSubstring("\ngateway_cache_answers 1\n") &&
                         ContainsSubstring("\ngateway_cache_stored_total 4\n") &&
                         ContainsSubstring("\ngateway_cache_purged_total 1\n") &&
                         ContainsSubstring("\ngateway_cache_evicted_total 0\n"));
}
