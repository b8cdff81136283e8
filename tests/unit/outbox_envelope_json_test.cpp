#include "outbox/envelope_json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;

TEST_CASE("headers survive the way through JSON", "[outbox]") {
    const events::headers fields{{"ce_id", "018f"},
                                 {"empty", ""},
                                 {"quoted \"\\ name", "a \"b\" \\ c"},
                                 {"ce_subject", "zo\u00eb \u20ac \U0001F600"},
                                 {"control", "\x01\t\r\n"}};
    CHECK(outbox::headers_from_json(outbox::headers_to_json(fields)).value() == fields);
    CHECK(outbox::headers_from_json("{}").value().empty());
    const auto spaced = outbox::headers_from_json(" {\"a\" : \"\\u20ac\\uD83D\\uDE00\\/\"}\n");
    CHECK(spaced.value() == events::headers{{"a", "\u20ac\U0001F600/"}});
    const std::string long_value(100'000, 'x');
    CHECK(outbox::headers_from_json(R"({"a":")" + long_value + "\"}").value().front().second ==
          long_value);
}

TEST_CASE("what is no object of strings is no headers", "[outbox]") {
    const auto* text = GENERATE(
        "", "[]", "\"a\"", "1", "null", R"({"a":1})", R"({"a":null})", R"({"a":true})",
        R"({"a":1.5})", R"({"a":{"b":"c"}})", R"({"a":["b"]})", R"({"a":"b")", R"({"a":"b"} x)",
        R"({"a":"b"}{"c":"d"})", R"({"a":"b",})", "{\"a\":\"\x80\"}", R"({"a":"\uD800"})");
    CAPTURE(text);
    const auto read = outbox::headers_from_json(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().slug == "outbox-headers");
}
