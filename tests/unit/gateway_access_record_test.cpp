#include "gateway/access/error_reason.hpp"
#include "gateway/access/shown_address.hpp"
#include "support/access_records.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <arpa/inet.h>
#include <set>

using namespace relais;
using namespace relais::gateway;

TEST_CASE("a text that is too long loses its end, never half of a character", "[gateway]") {
    const auto [given, kept] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"12345678", "12345678"},
        {"123456789", "12345678"},
        {"1234567\xc3\xa9", "1234567"},
        {"123456\xc3\xa9z", "123456\xc3\xa9"},
        {"123456\xe2\x82\xac", "123456"},
        {"12345\xf0\x9f\x98\x80", "12345"},
        {"1234\xf0\x9f\x98\x80x", "1234\xf0\x9f\x98\x80"},
        {std::string(9, '\x80'), std::string(8, '\x80')},
    }));
    fixed_text<8> text;
    text.assign("something before");
    text.assign(given);
    CHECK(text.view() == kept);
    CHECK(text.empty() == kept.empty());
}

TEST_CASE("a text that says when it was cut ends with a mark", "[gateway]") {
    const auto [given, kept] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"12345678", "12345678"},
        {"123456789", "12345…"},
        {"1234é6789", "1234…"}, // the sequence would not be whole
    }));
    fixed_text<8> text;
    text.assign("something before");
    text.assign_marked(given);
    CHECK(text.view() == kept);
}

TEST_CASE("a record keeps the path without the query", "[gateway]") {
    const auto [target, path] = GENERATE(table<std::string, std::string>({
        {"/v1/jobs", "/v1/jobs"},
        {"/v1/jobs?token=secret", "/v1/jobs"},
        {"?x", ""},
        {"*", "*"},
        {"/" + std::string(200, 'x'), "/" + std::string(78, 'x')},
    }));
    access_record record;
    record.set_target(target);
    CHECK(record.path.view() == path);
}

TEST_CASE("a client's address is shown whole, as a network, or not", "[gateway]") {
    struct row {
        const char* address;
        const char* whole;
        const char* network;
    };

    const auto [address, whole, network] =
        GENERATE(row{"203.0.113.77", "203.0.113.77", "203.0.113.0/24"},
                 row{"0.0.0.0", "0.0.0.0", "0.0.0.0/24"},
                 row{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
                 row{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", "2001::/48"},
                 row{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "2001:db8::/48"},
                 row{"1:0:0:2:3:0:0:4", "1::2:3:0:0:4", "1::/48"}, row{"::1", "::1", "::/48"},
                 row{"fe80::", "fe80::", "fe80::/48"}, row{"::", "::", "::/48"},
                 row{"::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"});
    access_record record;
    std::array<std::uint8_t, 4> v4{};
    std::array<std::uint8_t, 16> v6{};
    if (::inet_pton(AF_INET, address, v4.data()) == 1) {
        record.set_client(v4);
    } else {
        REQUIRE(::inet_pton(AF_INET6, address, v6.data()) == 1);
        record.set_client(v6);
    }
    const auto text = [&](client_shown how) {
        std::string out;
        append_client(out, record, how);
        return out;
    };
    CHECK(text(client_shown::whole) == whole);
    CHECK(text(client_shown::network) == network);
    CHECK(text(client_shown::none).empty());
    record.client_family = address_family::none;
    CHECK(text(client_shown::whole).empty());
}

TEST_CASE("every reason has a word of its own, and old codes are kept", "[gateway]") {
    std::set<std::string_view> words;
    for (std::size_t i = 1; i < error_reason_count; ++i) {
        const auto reason = static_cast<error_reason>(i);
        CHECK(words.insert(to_string(reason)).second);
        CHECK(reason_named(to_string(reason)) == reason);
    }
    CHECK(to_string(error_reason::none).empty());
    CHECK(heroku_code(error_reason::none).empty());
    CHECK_FALSE(reason_named(""));
    CHECK_FALSE(reason_named("made-up"));
    CHECK(heroku_code(error_reason::no_healthy_upstream) == "H10");
    CHECK(heroku_code(error_reason::upstream_overflow) == "H11");
    CHECK(heroku_code(error_reason::upstream_timeout) == "H12");
    CHECK(heroku_code(error_reason::upstream_reset) == "H13");
    CHECK(heroku_code(error_reason::idle_timeout) == "H15");
    CHECK(heroku_code(error_reason::upstream_protocol_error) == "H17");
    CHECK(heroku_code(error_reason::connect_timeout) == "H19");
    CHECK(heroku_code(error_reason::connect_refused) == "H21");
    CHECK(heroku_code(error_reason::connection_limit) == "H22");
    CHECK(heroku_code(error_reason::protocol_error) == "H26");
    CHECK(heroku_code(error_reason::client_disconnect) == "H27");
    CHECK(heroku_code(error_reason::request_timeout) == "H28");
    CHECK(heroku_code(error_reason::maintenance) == "H80");
    CHECK(side_of(error_reason::client_disconnect) == reason_side::client);
    CHECK(side_of(error_reason::upstream_reset) == reason_side::service);
    CHECK(side_of(error_reason::internal) == reason_side::own);
}

TEST_CASE("an error becomes a reason by its slug, or by its kind", "[gateway]") {
    const auto [kind, slug, reason] = GENERATE(table<error_kind, std::string, error_reason>({
        {error_kind::unavailable, "no-healthy-upstream", error_reason::no_healthy_upstream},
        {error_kind::unavailable, "introspection-failed", error_reason::no_healthy_upstream},
        {error_kind::unavailable, "upstream-write-failed", error_reason::upstream_reset},
        {error_kind::unavailable, "upstream-malformed", error_reason::upstream_protocol_error},
        {error_kind::unavailable, "client-gone", error_reason::client_disconnect},
        {error_kind::invalid, "method-not-allowed", error_reason::method_not_allowed},
        {error_kind::invalid, "unknown-method", error_reason::method_not_allowed},
        {error_kind::rate_limited, "rate-limited", error_reason::rate_limited},
        {error_kind::rate_limited, "anything", error_reason::rate_limited},
        {error_kind::invalid, "malformed-request", error_reason::protocol_error},
        {error_kind::timeout, "", error_reason::timeout},
        {error_kind::not_found, "", error_reason::not_found},
        {error_kind::internal, "", error_reason::internal},
    }));
    CHECK(error_reason_of(error{kind, slug, "", "", std::nullopt}) == reason);
}

TEST_CASE("names keep their numbers, and a full table says other", "[gateway]") {
    name_table names(4);
    const auto first = names.index_of("/v1");
    CHECK(names.index_of("/v1/uploads") == first + 1);
    CHECK(names.index_of("/v1") == first);
    CHECK(names.name(first) == "/v1");
    CHECK(names.index_of("/webhooks") == name_table::other);
    CHECK(names.index_of("") == name_table::none);
    CHECK(names.index_of("other") == name_table::other);
    CHECK(names.name(name_table::none).empty());
    CHECK(names.name(name_table::other) == "other");
    CHECK(names.name(60'000) == "other");
    CHECK(names.size() == 4);
    CHECK(name_table(0).index_of("x") == name_table::other);
}
