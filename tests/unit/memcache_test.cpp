#include "memcache/meta.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais::memcache;

TEST_CASE("meta replies are read", "[memcache]") {
    CHECK(parse_meta_line("HD")->code == "HD");
    CHECK(parse_meta_line("EN")->value_size == std::nullopt);
    CHECK(parse_meta_line("VA 5")->value_size == 5);
    CHECK(parse_meta_line("VA 0 W")->value_size == 0);
    CHECK(parse_meta_line("EX")->code == "EX");
    const auto won = parse_meta_line("VA 0 c72 W");
    CHECK(won->won);
    CHECK(won->stale_or_gap);
    CHECK(won->cas == 72);
    const auto late = parse_meta_line("VA 0 c72 Z");
    CHECK_FALSE(late->won);
    CHECK(late->stale_or_gap);
    CHECK_FALSE(parse_meta_line("VA 3 c9")->stale_or_gap);
}

TEST_CASE("anything else is a bad reply", "[memcache]") {
    const auto line =
        GENERATE(values<std::string>({"", "VA", "VA x", "VA -1", "VA 99999999999999999999", "ERROR",
                                      "CLIENT_ERROR bad", "HDx"}));
    CAPTURE(line);
    CHECK_FALSE(parse_meta_line(line));
}

TEST_CASE("keys are printable and short", "[memcache]") {
    CHECK(is_valid_key("profile:v1:42"));
    CHECK_FALSE(is_valid_key(""));
    CHECK_FALSE(is_valid_key("two words"));
    CHECK_FALSE(is_valid_key("line\nbreak"));
    CHECK_FALSE(is_valid_key(std::string(251, 'k')));
}
