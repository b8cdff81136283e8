#include "gateway/limits/ratelimit_fields.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

const rate per_minute = *rate::make(100, 60s, 100);
const rate per_hour = *rate::make(1'000, 3'600s, 50);

std::string policy(std::span<const limit_report> reports) {
    std::string out;
    append_ratelimit_policy(out, reports);
    return out;
}

std::string current(std::span<const limit_report> reports) {
    std::string out;
    append_ratelimit(out, reports);
    return out;
}

std::string retry(std::chrono::nanoseconds after) {
    std::string out;
    append_retry_after(out, after);
    return out;
}

limit_decision left(std::uint64_t units, std::chrono::nanoseconds next) {
    return {.allowed = true, .remaining = units, .full_after = 30s, .next_after = next};
}

limit_decision refused(std::chrono::nanoseconds after, std::uint64_t units = 0) {
    return {.allowed = false,
            .remaining = units,
            .full_after = 60s,
            .next_after = 100ms,
            .retry_after = after};
}

} // namespace

TEST_CASE("the policy names every limit with quota and window", "[gateway]") {
    const std::vector<limit_report> two{{"ip", &per_minute, left(7, 1s)},
                                        {"account", &per_hour, left(9, 1s)}};
    CHECK(policy(std::span(two).first(1)) == "\"ip\";q=100;w=60");
    CHECK(policy(two) == "\"ip\";q=100;w=60, \"account\";q=1000;w=3600;relais-burst=50");
    CHECK(policy({}).empty());
}

TEST_CASE("the limit with the least left is told", "[gateway]") {
    CHECK(current({}).empty());
    CHECK(tightest({}) == nullptr);
    const std::vector<limit_report> two{{"ip", &per_minute, left(7, 600ms)},
                                        {"account", &per_hour, left(3, 3'600ms)}};
    CHECK(current(two) == "\"account\";r=3;t=4");
    CHECK(current(std::span(two).first(1)) == "\"ip\";r=7;t=1");

    const std::vector<limit_report> equal{{"ip", &per_minute, left(3, 600ms)},
                                          {"account", &per_hour, left(3, 3'600ms)}};
    CHECK(current(equal) == "\"account\";r=3;t=4");

    const std::vector<limit_report> full{{"ip", &per_minute, left(100, 0s)}};
    CHECK(current(full) == "\"ip\";r=100;t=0");
}

TEST_CASE("a limit that refuses is told before one that does not", "[gateway]") {
    const std::vector<limit_report> mixed{{"ip", &per_minute, left(0, 600ms)},
                                          {"bytes", &per_hour, refused(2'500ms, 5)},
                                          {"account", &per_hour, refused(2s)}};
    CHECK(current(mixed) == "\"bytes\";r=5;t=3");
    CHECK(tightest(mixed)->name == "bytes");
    CHECK(retry(tightest(mixed)->decision.retry_after) == "3");
}

TEST_CASE("retry-after is whole seconds, rounded up, at least 1", "[gateway]") {
    CHECK(retry(0ns) == "1");
    CHECK(retry(1ns) == "1");
    CHECK(retry(1s) == "1");
    CHECK(retry(1s + 1ns) == "2");
    CHECK(retry(3'600s) == "3600");
    CHECK(retry(limit_decision::never) == "86400");
}

TEST_CASE("fields are appended to what is there, within its memory", "[gateway]") {
    std::string out = "RateLimit: ";
    out.reserve(1'024);
    const auto* memory = out.data();
    const std::vector<limit_report> one{{"ip", &per_minute, left(7, 1s)}};
    append_ratelimit(out, one);
    append_ratelimit_policy(out, one);
    append_retry_after(out, 1s);
    CHECK(out == "RateLimit: \"ip\";r=7;t=1\"ip\";q=100;w=601");
    CHECK(out.data() == memory);
}

TEST_CASE("names of limits need no escape", "[gateway]") {
    CHECK(is_limit_name("login-per-ip"));
    CHECK(is_limit_name(std::string(64, 'a')));
    for (const auto* bad : {"", "a b", "A", "a\"", "a\\", "a\n", "\xc3\xa9"}) {
        CHECK_FALSE(is_limit_name(bad));
    }
    CHECK_FALSE(is_limit_name(std::string(65, 'a')));
}
