#include "gateway/client_address/forwarded.hpp"
#include "gateway/client_address/list_from_right.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;

namespace {

using form = forwarded_node::form;
using quoting = list_from_right::quoting;

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

std::vector<std::string> from_right(const std::vector<http::field_view>& fields, quoting quotes) {
    list_from_right list(fields, "list", quotes);
    std::vector<std::string> out;
    std::string_view element;
    while (list.next(element)) {
        out.emplace_back(element);
    }
    return out;
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("a list is walked from the right over all its field lines", "[gateway]") {
    CHECK(from_right({}, quoting::none).empty());
    CHECK(from_right({{"other", "a"}}, quoting::none).empty());
    CHECK(from_right({{"list", "a"}}, quoting::none) == texts{"a"});
    CHECK(from_right({{"list", "a, b"}, {"other", "x"}, {"LIST", "c ,d"}, {"List", ""}},
                     quoting::none) == texts{"d", "c", "b", "a"});
    CHECK(from_right({{"list", ",, a,, \t ,b,"}}, quoting::none) == texts{"b", "a"});
    CHECK(from_right({{"list", " , ,"}, {"list", ","}}, quoting::none).empty());
    CHECK(from_right({{"list", "a\", b\""}}, quoting::none) == texts{"b\"", "a\""});
}

TEST_CASE("commas in quoted strings do not separate", "[gateway]") {
    const auto split = [](std::string_view text) {
        return from_right({{"list", text}}, quoting::quoted_strings);
    };
    CHECK(split(R"(a="x, y", b)") == texts{"b", R"(a="x, y")"});
    CHECK(split(R"(a, b="x, y")") == texts{R"(b="x, y")", "a"});
    CHECK(split(R"(a="\", b", c)") == texts{"c", R"(a="\", b")"});
    CHECK(split(R"(a="\\", b="c")") == texts{R"(b="c")", R"(a="\\")"});
    CHECK(split(R"(a="", b="")") == texts{R"(b="")", R"(a="")"});
    CHECK(split(R"(a="\\\", b", c)") == texts{"c", R"(a="\\\", b")"});
}

TEST_CASE("an open quotation mark of a client does not swallow what proxies wrote", "[gateway]") {
    CHECK(from_right({{"list", R"(for="open, for=1.2.3.4)"}}, quoting::quoted_strings) ==
          texts{"for=1.2.3.4", R"(for="open)"});
    CHECK(from_right({{"list", R"(for="open)"}, {"list", R"(for="[::1]")"}},
                     quoting::quoted_strings) == texts{R"(for="[::1]")", R"(for="open)"});
    // A mark at the end that nothing opens reaches to the beginning of its line only.
    CHECK(from_right({{"list", "a, b"}, {"list", R"(c, d")"}}, quoting::quoted_strings) ==
          texts{R"(c, d")", "b", "a"});
}

TEST_CASE("nodes of RFC 7239 are read strictly", "[gateway]") {
    struct row {
        std::string_view text;
        form kind;
        std::string_view address;
        int port;
    };

    for (const auto& [text, kind, address, port] :
         {row{"192.0.2.43", form::address, "192.0.2.43", -1},
          row{"192.0.2.43:47011", form::address, "192.0.2.43", 47'011},
          row{"192.0.2.43:_secret", form::address, "192.0.2.43", -1},
          row{"[2001:db8:cafe::17]", form::address, "2001:db8:cafe::17", -1},
          row{"[2001:db8:cafe::17]:4711", form::address, "2001:db8:cafe::17", 4'711},
          row{"[::ffff:192.0.2.43]", form::address, "192.0.2.43", -1},
          row{"unknown", form::unknown, "", -1}, row{"Unknown", form::unknown, "", -1},
          row{"unknown:80", form::unknown, "", 80}, row{"_gazonk", form::obfuscated, "", -1},
          row{"_SEVKISEK:99", form::obfuscated, "", 99},
          row{"_a.b-c_1", form::obfuscated, "", -1}}) {
        INFO(text);
        const auto node = parse_forwarded_node(text);
        REQUIRE(node);
        CHECK(node->kind == kind);
        CHECK(node->port.value_or(0) == (port < 0 ? 0 : port));
        CHECK(node->port.has_value() == (port >= 0));
        if (kind == form::address) {
            CHECK(node->address == ip(address));
        }
    }
    for (const std::string_view bad : {"",
                                       ":",
                                       ":80",
                                       "192.0.2.43:",
                                       "192.0.2.43:123456",
                                       "192.0.2.43:65536",
                                       "192.0.2.43:8x",
                                       "192.0.2.43 ",
                                       "192.0.2.256",
                                       "2001:db8::1",
                                       "[192.0.2.43]",
                                       "[::1",
                                       "::1]",
                                       "[]",
                                       "[]:1",
                                       "[::1]4711",
                                       "[::1]:",
                                       "[::1%lo]",
                                       "[unknown]",
                                       "[_a]",
                                       "unknownx",
                                       "_",
                                       "_:1",
                                       "_a b",
                                       "_a/b",
                                       "hidden",
                                       "secret:80"}) {
        INFO(bad);
        CHECK_FALSE(parse_forwarded_node(bad));
    }
}

TEST_CASE("an element of Forwarded is read with all it says", "[gateway]") {
    const auto all = parse_forwarded_element(
        R"(For="[2001:db8:cafe::17]:4711";proto=HTTPS;by=203.0.113.43;host="example.com:8080")");
    REQUIRE(all);
    CHECK(all->from.address == ip("2001:db8:cafe::17"));
    CHECK(all->from.port == 4'711);
    CHECK(all->by.address == ip("203.0.113.43"));
    CHECK(all->proto == "HTTPS");
    CHECK(all->host == "example.com:8080");

    const auto plain = parse_forwarded_element("for=192.0.2.60");
    REQUIRE(plain);
    CHECK(plain->from.address == ip("192.0.2.60"));
    CHECK(plain->by.kind == form::absent);
    CHECK(plain->host.empty());
    CHECK(plain->proto.empty());
}

TEST_CASE("elements of Forwarded that are well formed", "[gateway]") {
    for (const std::string_view good :
         {"for=_hidden", "for=unknown;by=_us", "for=\"192.0.2.43\"", "for=\"_gazonk:1\"",
          "proto=http", "host=example.com", ";", ";;for=192.0.2.43;",
          "for=192.0.2.43;x=1;y=\"a b\"", "for=192.0.2.43;x=\"a, b; c=d\"",
          R"(for=192.0.2.43;x="\"")", R"(x="a\\b")", "x=\"\"", "x=\"\t\"", "x=\"\xc3\xa9\"",
          "secret=\"::1\"", "proto=a+b.c-d"}) {
        INFO(good);
        CHECK(parse_forwarded_element(good));
    }
}

TEST_CASE("elements of Forwarded that are refused", "[gateway]") {
    for (const std::string_view bad : {"for",
                                       "for=",
                                       "=192.0.2.43",
                                       "for 192.0.2.43",
                                       "for =192.0.2.43",
                                       "for= 192.0.2.43",
                                       "for=192.0.2.43 ;proto=http",
                                       "for=192.0.2.43; proto=http",
                                       "for=192.0.2.43:80",
                                       "for=[::1]",
                                       "for=::1",
                                       "for=\"::1\"",
                                       "for=\"\"",
                                       "for=\"192.0.2.43",
                                       "for=192.0.2.43\"",
                                       "for=\"192.0.2.43\"x",
                                       "for=\"192.0.2.43\" ",
                                       R"(for="192.0.2.4\3")",
                                       R"(for="\[::1]")",
                                       R"(for="192.0.2.43\")",
                                       R"(x="\)",
                                       "x=\"\x01\"",
                                       "x=\"\x7f\"",
                                       "x=\"\\\x01\"",
                                       "x=\"a\"b\"",
                                       "for=192.0.2.43;for=192.0.2.44",
                                       "FOR=192.0.2.43;for=192.0.2.43",
                                       "x=1;X=2",
                                       "by=1;for=192.0.2.43",
                                       "proto=1http",
                                       "proto=\"\"",
                                       "proto=\"a b\"",
                                       R"(proto="htt\p")",
                                       "host=\"\"",
                                       "host=\"a b\"",
                                       "host=\"u@h\"",
                                       "host=\"a,b\"",
                                       R"(host="ex\ample")",
                                       "for=192.0.2.43,for=192.0.2.44",
                                       "f\xc3\xb6r=192.0.2.43",
                                       "for==192.0.2.43",
                                       "for=192.0.2.43;;x",
                                       "x=a/b",
                                       "x=a b"}) {
        INFO(bad);
        CHECK_FALSE(parse_forwarded_element(bad));
    }
    CHECK_FALSE(parse_forwarded_element(std::string_view("for=192.0.2.43\0", 15)));
}

TEST_CASE("an element of Forwarded has at most 16 parameters", "[gateway]") {
    std::string text;
    for (char name = 'a'; name < 'a' + 16; ++name) {
        text += ';';
        text += name;
        text += "=1";
    }
    CHECK(parse_forwarded_element(text));
    CHECK_FALSE(parse_forwarded_element(text + ";z=1"));
}
