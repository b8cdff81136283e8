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

TEST_CASE("the plain beginning of a text ends where an escape is due", "[log]") {
    using relais::log::plain_length;
    const std::string plain = " !#$%[]~ABCxyz0123456789";
    CHECK(plain_length("") == 0);
    CHECK(plain_length(plain) == plain.size());
    for (int byte = 0; byte < 256; ++byte) {
        const auto c = static_cast<char>(byte);
        const bool special = byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\';
        for (std::size_t at = 0; at < plain.size(); ++at) {
            std::string text = plain;
            text[at] = c;
            REQUIRE(plain_length(text) == (special ? at : plain.size()));
        }
    }
}

TEST_CASE("what is no UTF-8 is replaced, the rest stays as it is", "[log]") {
    const auto [text, kept] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"a\"\n\x7f", "a\"\n\x7f"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"cut\xe2\x82", "cut\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff", "\xef\xbf\xbd"},
    }));
    CHECK(relais::log::well_formed(text) == kept);
}
