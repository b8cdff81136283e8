#include "log/json_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <utility>

TEST_CASE("a text becomes one JSON string that cannot break the line", "[log]") {
    const auto [text, json] = GENERATE(table<std::string, std::string>({
        {"plain", "\"plain\""},
        {"a\"b\\c", R"("a\"b\\c")"},
        {"line\nbreak\r\ttab", R"("line\nbreak\r\ttab")"},
        {std::string("nul\0x", 5), R"("nul\u0000x")"},
        {"\x1b[31mred", R"("\u001b[31mred")"},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"bad\xff"
         "end",
         "\"bad\xef\xbf\xbd"
         "end\""},
        {"over\xc0\xaf", "\"over\xef\xbf\xbd\xef\xbf\xbd\""},
        {"cut\xe2\x82", "\"cut\xef\xbf\xbd\xef\xbf\xbd\""},
        {"surrogate\xed\xa0\x80", "\"surrogate\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    }));
    std::string out;
    relais::log::append_json_string(out, text);
    CHECK(out == json);
}
