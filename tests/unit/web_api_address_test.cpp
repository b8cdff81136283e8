#include "web-api/adapters/idna.hpp"
#include "web-api/domain/email_address.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::web_api;

TEST_CASE("an address has one canonical form", "[web-api]") {
    struct line {
        std::string given;
        std::string deliverable;
        std::string canonical;
    };

    const auto given = GENERATE_COPY(values<line>({
        {"anna@example.org", "anna@example.org", "anna@example.org"},
        {"Anna.Peeters@Example.ORG", "Anna.Peeters@example.org", "anna.peeters@example.org"},
        {"a+b@x.be", "a+b@x.be", "a+b@x.be"},
        {"jan@bücher.example", "jan@xn--bcher-kva.example", "jan@xn--bcher-kva.example"},
        {"jan@BÜCHER.example", "jan@xn--bcher-kva.example", "jan@xn--bcher-kva.example"},
        {"jan@faß.example", "jan@xn--fa-hia.example", "jan@xn--fa-hia.example"},
        {"jan@例子.测试", "jan@xn--fsqu00a.xn--0zwm56d", "jan@xn--fsqu00a.xn--0zwm56d"},
        {"!#$%&'*+/=?^_`{|}~-@x.be", "!#$%&'*+/=?^_`{|}~-@x.be", "!#$%&'*+/=?^_`{|}~-@x.be"},
        {"a@1and1.example", "a@1and1.example", "a@1and1.example"},
        {std::string(64, 'l') + "@x.be", std::string(64, 'l') + "@x.be",
         std::string(64, 'l') + "@x.be"},
    }));
    const auto parsed = email_address::parse(given.given, idna_to_ascii);
    REQUIRE(parsed);
    CHECK(parsed->deliverable() == given.deliverable);
    CHECK(parsed->canonical() == given.canonical);
}

TEST_CASE("what is no address is refused", "[web-api]") {
    const auto given = GENERATE_COPY(values<std::string>({
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@localhost",
        "anna@example..org",
        "anna@.org",
        "anna@example.org.",
        "anna@-x.org",
        "anna@x-.org",
        "anna@exa_mple.org",
        "anna@127.0.0.1",
        "anna@[127.0.0.1]",
        "anna@example.123",
        ".anna@x.be",
        "anna.@x.be",
        "an..na@x.be",
        "an na@x.be",
        "\"anna\"@x.be",
        "anna@x@y.be",
        "anna\r\nBcc: eve@x.be@x.be",
        "änna@x.be",
        "anna@x.be\n",
        "anna@ex ample.org",
        "anna@\u202Eexample.org",
        std::string(65, 'l') + "@x.be",
        "a@" + std::string(64, 'd') + ".be",
        "a@" + std::string(60, 'd') + "." + std::string(60, 'd') + "." + std::string(60, 'd') +
            "." + std::string(60, 'd') + "." + std::string(10, 'd') + ".be",
    }));
    const auto parsed = email_address::parse(given, idna_to_ascii);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().slug == "invalid-email");
    CHECK(parsed.error().kind == error_kind::invalid);
}
