#include "rest/client.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

namespace rest = relais::rest;
using namespace std::chrono_literals;

TEST_CASE("Retry-After is read in its two forms", "[rest]") {
    struct row {
        std::string value;
        std::optional<std::chrono::milliseconds> expected;
    };

    const std::string date = "Mon, 23 Nov 2026 06:46:44 GMT";
    const std::vector<row> table{
        {"0", 0ms},
        {"7", 7s},
        {"1.5", 2s},
        {"86401", 86'400s},
        {"99999999999999999999", 86'400s},
        {"-1", std::nullopt},
        {"soon", std::nullopt},
        {"7 seconds", std::nullopt},
        {"Mon, 23 Nov 2026 06:47:14 GMT", 30s},
        {"Mon, 23 Nov 2026 06:46:00 GMT", 0ms},
        {"Tue, 31 Feb 2026 06:46:00 GMT", std::nullopt},
        {"Mon, 23 Nov 2026 06:46:44", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.value);
        const rest::answer given{429, {{"Date", date}, {"retry-After", expected.value}}, ""};
        CHECK(given.retry_after() == expected.expected);
    }
}

TEST_CASE("a date without the answer's own date says nothing", "[rest]") {
    const rest::answer given{503, {{"Retry-After", "Mon, 23 Nov 2026 06:47:14 GMT"}}, ""};
    CHECK_FALSE(given.retry_after());
}

TEST_CASE("another header may name the wait", "[rest]") {
    const rest::answer given{429, {{"x-sib-ratelimit-reset", "12"}}, ""};
    CHECK(given.retry_after("X-Sib-Ratelimit-Reset") == 12s);
    CHECK_FALSE(given.retry_after());
}

TEST_CASE("headers are found without regard to case", "[rest]") {
    const rest::answer given{200, {{"Content-Type", "text/html"}, {"X-A", "1"}, {"x-a", "2"}}, ""};
    CHECK(given.header("content-type") == "text/html");
    CHECK(given.header("x-a") == "1");
    CHECK(given.header("x-b").empty());
}
