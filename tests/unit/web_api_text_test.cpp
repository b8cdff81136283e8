#include "web-api/domain/money.hpp"
#include "web-api/domain/password.hpp"
#include "web-api/domain/plain_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::web_api;

namespace {

std::string outcome(const result<std::string>& checked) {
    return checked ? *checked : "refused: " + checked.error().slug;
}

} // namespace

TEST_CASE("a single line is trimmed and holds nothing that hides", "[web-api]") {
    struct line {
        std::string given;
        std::string wanted;
    };

    const auto given = GENERATE(values<line>({
        {"Haag snoeien", "Haag snoeien"},
        {"  Anneke \u00A0", "Anneke"},
        {"ß 例子 👍", "ß 例子 👍"},
        {"", "refused: empty-text"},
        {" \u2003\u3000", "refused: empty-text"},
        {"a\nBcc: x@y.z", "refused: forbidden-character"},
        {"a\tb", "refused: forbidden-character"},
        {"a\r", "refused: forbidden-character"},
        {"a\x7F", "refused: forbidden-character"},
        {"a\u0085", "refused: forbidden-character"},
        {"a\u202Eb", "refused: forbidden-character"},
        {"\u2066a", "refused: forbidden-character"},
        {"a\u2028", "refused: forbidden-character"},
        {"\uFEFFa", "refused: forbidden-character"},
        {"0123456789ab", "0123456789ab"},
        {"0123456789abc", "refused: text-too-long"},
        {"  0123456789ab  ", "0123456789ab"},
        {"äöüäöüäöüäöü", "äöüäöüäöüäöü"},
        {"äöüäöüäöüäöüx", "refused: text-too-long"},
    }));
    CHECK(outcome(single_line(given.given, 12)) == given.wanted);
}

TEST_CASE("several lines keep their ends, in one form", "[web-api]") {
    CHECK(outcome(several_lines("a\r\nb\rc\n\td \n", 100)) == "a\nb\nc\n\td");
    CHECK(outcome(several_lines("\n \n", 100)) == "refused: empty-text");
    CHECK(outcome(several_lines("a\vb", 100)) == "refused: forbidden-character");
}

TEST_CASE("a password has a length and nothing else", "[web-api]") {
    const auto slug = [](const std::string& password) {
        const auto checked = check_password(password);
        return checked ? std::string("ok") : checked.error().slug;
    };
    CHECK(slug("1234567") == "password-too-short");
    CHECK(slug("12345678") == "ok");
    CHECK(slug(std::string(1024, 'x')) == "ok");
    CHECK(slug(std::string(1025, 'x')) == "password-too-long");
    CHECK(slug(" with blanks and \t tabs ") == "ok");
}

TEST_CASE("money is positive and of a known currency", "[web-api]") {
    const auto slug = [](std::int64_t amount, std::string_view currency) {
        const auto made = money::make(amount, currency);
        return made ? std::string("ok") : made.error().slug;
    };
    CHECK(slug(1, "EUR") == "ok");
    CHECK(slug(amount_minor_max, "EUR") == "ok");
    CHECK(slug(0, "EUR") == "amount-out-of-range");
    CHECK(slug(-1, "EUR") == "amount-out-of-range");
    CHECK(slug(amount_minor_max + 1, "EUR") == "amount-out-of-range");
    CHECK(slug(1, "eur") == "unknown-currency");
    CHECK(slug(1, "") == "unknown-currency");
}
