#include "clock/rfc3339.hpp"
#include "postgres/text_format.hpp"
#include "postgres/transaction.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;

TEST_CASE("timestamptz in PostgreSQL's form is read", "[postgres]") {
    const auto [text, utc] = GENERATE(table<std::string, std::string>({
        {"2026-11-23 06:46:44.123456+00", "2026-11-23T06:46:44.123456Z"},
        {"2026-11-23 06:46:44+00", "2026-11-23T06:46:44.000000Z"},
        {"2026-11-23 06:46:44.5+00", "2026-11-23T06:46:44.500000Z"},
        {"2026-11-23 06:46:44+02", "2026-11-23T04:46:44.000000Z"},
        {"2026-11-23 06:46:44-03:30", "2026-11-23T10:16:44.000000Z"},
    }));
    const auto time = pg::parse_timestamptz(text);
    REQUIRE(time);
    CHECK(to_rfc3339(*time) == utc);
}

TEST_CASE("what is not a timestamptz is refused", "[postgres]") {
    const auto* text =
        GENERATE("", "infinity", "2026-11-23", "2026-11-23 06:46:44", "2026-11-23T06:46:44+00",
                 "2026-13-23 06:46:44+00", "0044-03-15 12:00:00+00 BC");
    CHECK_FALSE(pg::parse_timestamptz(text));
}

TEST_CASE("bytea goes there and back", "[postgres]") {
    const std::string bytes("\x00\x01\xff\\x", 5);
    CHECK(pg::to_bytea(bytes) == "\\x0001ff5c78");
    CHECK(pg::parse_bytea("\\x0001FF5c78") == bytes);
    CHECK(pg::parse_bytea("\\x") == "");
    for (const auto* bad : {"", "0001", "\\x0", "\\x0g"}) {
        CHECK_FALSE(pg::parse_bytea(bad));
    }
}

TEST_CASE("an array quotes what needs it", "[postgres]") {
    CHECK(pg::to_array({}) == "{}");
    CHECK(pg::to_array({"a", "", "b,\"c\"", "d\\e", "NULL"}) ==
          R"({"a","","b,\"c\"","d\\e","NULL"})");
}

TEST_CASE("parameters take their text form", "[postgres]") {
    CHECK(pg::parameter(true).text() == "t");
    CHECK(pg::parameter(42).text() == "42");
    CHECK(pg::parameter(-0.5).text() == "-0.5");
    CHECK(pg::parameter(std::numeric_limits<double>::infinity()).text() == "Infinity");
    CHECK(pg::parameter(timestamp{}).text() == "1970-01-01T00:00:00.000000Z");
    CHECK(pg::parameter(std::optional<std::string>()).text() == std::nullopt);
    CHECK(pg::parameter(std::optional<int>(7)).text() == "7");
    CHECK(pg::parameter(std::nullopt).text() == std::nullopt);
}
