#include "inbox/stored_json.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;

TEST_CASE("headers survive their stored form, bytes included", "[inbox]") {
    const events::headers fields{{"ce_id", "1"},
                                 {"twice", "a"},
                                 {"twice", "b"},
                                 {"quoted", "\"\\\n"},
                                 {"empty", ""},
                                 {"bytes", "\xff\xfe"},
                                 {"nul", std::string("a\0b", 3)},
                                 {"\xc3", "odd name"}};
    const auto text = inbox::headers_to_json(fields);
    CHECK(text.starts_with(R"([["ce_id","1"],["twice","a"])"));
    const auto read = inbox::headers_from_json(text);
    REQUIRE(read);
    CHECK(*read == fields);
}

TEST_CASE("stored headers of another form are refused", "[inbox]") {
    for (const auto* text : {"", "{}", "[1]", R"([["a"]])", R"([["a",1]])",
                             R"([["a",{"base64url":"!"}]])", R"([["a",{"x":"y"}]])"}) {
        CHECK_FALSE(inbox::headers_from_json(text));
    }
}

TEST_CASE("failures are kept as a list", "[inbox]") {
    const error reason{error_kind::unavailable, "down", std::string(600, 'x') + "€", "",
                       std::nullopt};
    const auto one = inbox::failure_to_json(reason, 3, timestamp{});
    CHECK(one.find(R"("attempt":3,"kind":"unavailable","slug":"down","detail":"xxx)") !=
          std::string::npos);
    CHECK(one.size() < 650);
    const auto two = inbox::join_failures(inbox::join_failures("[]", one), one);
    CHECK(two == "[" + one.substr(1, one.size() - 2) + "," + one.substr(1));
    const error bytes{error_kind::internal, "odd", "abc\xff", "", std::nullopt};
    CHECK(inbox::failure_to_json(bytes, 1, timestamp{}).find(R"("detail":"abc")") !=
          std::string::npos);
}
