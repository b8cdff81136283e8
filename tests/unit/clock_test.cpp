#include "clock/rfc3339.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr timestamp known{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 6h + 46min +
                          44s + 123'456us};

} // namespace

TEST_CASE("times are written in UTC with six digits", "[clock]") {
    CHECK(to_rfc3339(known) == "2026-11-23T06:46:44.123456Z");
    CHECK(to_rfc3339(timestamp{}) == "1970-01-01T00:00:00.000000Z");
    CHECK(to_http_date(known) == "Mon, 23 Nov 2026 06:46:44 GMT");
}

TEST_CASE("RFC 3339 times are read with any offset", "[clock]") {
    const auto text = GENERATE(values<std::string>(
        {"2026-11-23T06:46:44.123456Z", "2026-11-23t06:46:44.123456789z",
         "2026-11-23T07:46:44.123456+01:00", "2026-11-22T23:16:44.123456-07:30"}));
    CAPTURE(text);
    const auto parsed = parse_rfc3339(text);
    REQUIRE(parsed);
    CHECK(*parsed == known);
}

TEST_CASE("what is not RFC 3339 is refused", "[clock]") {
    const auto text = GENERATE(values<std::string>(
        {"", "2026-11-23", "2026-11-23T06:46:44", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z",
         "2026-11-23T06:60:44Z", "2026-11-23T06:46:44.Z", "2026-11-23T06:46:44Z ",
         "2026-11-23T06:46:44+25:00", "26-11-23T06:46:44Z"}));
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
}

TEST_CASE("a manual clock jumps without moving durations", "[clock]") {
    manual_clock time(known);
    const auto before = time.steady_now();
    time.jump(-1h);
    CHECK(time.now() == known - 1h);
    CHECK(time.steady_now() == before);
    time.advance(5s);
    CHECK(time.steady_now() == before + 5s);
}
