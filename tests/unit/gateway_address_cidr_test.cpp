#include "gateway/client_address/cidr.hpp"
#include "gateway/client_address/cidr_set.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>

using namespace relais;
using namespace relais::gateway;

namespace {

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

cidr block(std::string_view text) {
    const auto out = cidr::parse(text);
    INFO(text);
    REQUIRE(out);
    return *out;
}

} // namespace

TEST_CASE("addresses are read strictly", "[gateway]") {
    for (const auto* good : {"0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "::1", "2001:db8::1",
                             "2001:DB8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8"}) {
        const auto address = parse_address(good);
        INFO(good);
        REQUIRE(address);
        CHECK(*address == ip(good));
    }
    CHECK(parse_address("::ffff:10.1.2.3") == ip("10.1.2.3"));
    CHECK(parse_address("::FFFF:0A01:0203") == ip("10.1.2.3"));
    CHECK(parse_address("::10.1.2.3") == ip("::10.1.2.3"));
    for (const std::string_view bad : {"",
                                       " ",
                                       "1",
                                       "1.2.3",
                                       "1.2.3.4.5",
                                       "1.2.3.256",
                                       "01.2.3.4",
                                       "1.2.3.04",
                                       "0x1.2.3.4",
                                       "1.2.3.4 ",
                                       " 1.2.3.4",
                                       "1.2.3.4:80",
                                       "[::1]",
                                       ":",
                                       ":::",
                                       "1::2::3",
                                       "::1%lo",
                                       "fe80::1%1",
                                       "12345::",
                                       "1:2:3:4:5:6:7:8:9",
                                       "::1.2.3.256",
                                       "localhost",
                                       "1.2.3.4/32",
                                       "-1.2.3.4",
                                       "+1.2.3.4",
                                       "1.2.3.4\n",
                                       "::ffff:255.255.255.255.255.255.255.255.255.255"}) {
        INFO(bad);
        CHECK_FALSE(parse_address(bad));
    }
    CHECK_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)));
    CHECK_FALSE(parse_address(std::string_view("::1\0x", 5)));
    CHECK_FALSE(parse_address(std::string(1'000, '1')));
}

TEST_CASE("addresses with a port are read as proxies write them", "[gateway]") {
    struct row {
        std::string_view text;
        std::string_view address;
    };

    for (const auto& [text, address] :
         {row{"10.1.2.3", "10.1.2.3"}, row{"10.1.2.3:80", "10.1.2.3"},
          row{"10.1.2.3:0", "10.1.2.3"}, row{"10.1.2.3:65535", "10.1.2.3"}, row{"::1", "::1"},
          row{"[::1]", "::1"}, row{"[::1]:443", "::1"}, row{"2001:db8::1", "2001:db8::1"},
          row{"[::ffff:10.1.2.3]:1", "10.1.2.3"}}) {
        INFO(text);
        CHECK(parse_address_and_port(text) == ip(address));
    }
    for (const std::string_view bad : {"",
                                       "10.1.2.3:",
                                       "10.1.2.3:65536",
                                       "10.1.2.3:080000",
                                       "10.1.2.3:8o",
                                       "10.1.2.3:-1",
                                       "10.1.2.3:+1",
                                       "10.1.2.3: 1",
                                       ":80",
                                       "[::1",
                                       "::1]",
                                       "[::1]443",
                                       "[::1]:",
                                       "[::1]:x",
                                       "[]",
                                       "[]:1",
                                       "[10.1.2.3]",
                                       "[10.1.2.3]:80",
                                       "[[::1]]",
                                       "[::1]]:1",
                                       "unknown",
                                       "_hidden",
                                       "\"10.1.2.3\"",
                                       "10.1.2.3;",
                                       "host:80",
                                       "[::1%lo]:1"}) {
        INFO(bad);
        CHECK_FALSE(parse_address_and_port(bad));
    }
}

TEST_CASE("blocks of addresses are read strictly", "[gateway]") {
    struct row {
        std::string_view text;
        std::string_view written;
    };

    for (const auto& [text, written] :
         {row{"10.0.0.0/8", "10.0.0.0/8"}, row{"10.1.2.3", "10.1.2.3/32"},
          row{"0.0.0.0/0", "0.0.0.0/0"}, row{"::/0", "::/0"}, row{"::1", "::1/128"},
          row{"2001:DB8::/32", "2001:db8::/32"}, row{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
          row{"::ffff:0:0/96", "0.0.0.0/0"}, row{"192.0.2.128/25", "192.0.2.128/25"}}) {
        const auto read = block(text);
        CHECK(read.text() == written);
        CHECK(block(written) == read);
    }
    for (const std::string_view bad : {"",
                                       "/",
                                       "/8",
                                       "10.0.0.0/",
                                       "10.0.0.0/33",
                                       "10.0.0.0/-1",
                                       "10.0.0.0/+8",
                                       "10.0.0.0/08",
                                       "10.0.0.0/8/8",
                                       "10.0.0.0/8 ",
                                       "10.0.0.0 /8",
                                       "10.0.0/8",
                                       "10.1.0.0/8",
                                       "::1/127",
                                       "::/129",
                                       "::/1000",
                                       "2001:db8::1/64",
                                       "::ffff:10.0.0.0/8",
                                       "::ffff:10.1.0.0/104",
                                       "fe80::1%lo/64",
                                       "everything"}) {
        INFO(bad);
        const auto read = cidr::parse(bad);
        REQUIRE_FALSE(read);
        CHECK(read.error().kind == error_kind::invalid);
        CHECK(read.error().slug == "invalid-cidr");
    }
    CHECK(cidr::parse("10.1.0.0/8").error().detail.contains("10.0.0.0/8"));
}

TEST_CASE("a block holds the addresses of its family and prefix", "[gateway]") {
    CHECK(block("10.0.0.0/8").contains(ip("10.255.255.255")));
    CHECK(block("10.0.0.0/8").contains(ip("::ffff:10.0.0.1")));
    CHECK_FALSE(block("10.0.0.0/8").contains(ip("11.0.0.0")));
    CHECK_FALSE(block("10.0.0.0/8").contains(ip("::a00:1")));
    CHECK(block("0.0.0.0/0").contains(ip("255.1.1.1")));
    CHECK_FALSE(block("0.0.0.0/0").contains(ip("2001:db8::1")));
    CHECK(block("::/0").contains(ip("2001:db8::1")));
    CHECK_FALSE(block("::/0").contains(ip("10.0.0.1")));
    CHECK_FALSE(block("::/64").contains(ip("::ffff:10.0.0.1")));
    CHECK(block("::1").contains(ip("::1")));
    CHECK_FALSE(block("::1").contains(ip("::2")));
    CHECK(block("fe80::/10").contains(ip("fe80::1%1")));
    CHECK(block("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
    CHECK_FALSE(block("2001:db8::/33").contains(ip("2001:db8:8000::1")));
}

TEST_CASE("a block around an address has its length", "[gateway]") {
    CHECK(cidr::around(ip("10.1.2.3"), 24).text() == "10.1.2.0/24");
    CHECK(cidr::around(ip("::ffff:10.1.2.3"), 24).text() == "10.1.2.0/24");
    CHECK(cidr::around(ip("10.1.2.3"), 99).text() == "10.1.2.3/32");
    CHECK(cidr::around(ip("2001:db8:1:2:3::"), 64).text() == "2001:db8:1:2::/64");
    CHECK(cidr::around(ip("2001:db8::1"), 0).text() == "::/0");
    CHECK(cidr::around(ip("10.1.2.3"), 0).text() == "0.0.0.0/0");
}

TEST_CASE("a set of blocks is read from a list and merges overlaps", "[gateway]") {
    const auto set = cidr_set::parse(" 10.0.0.0/8,10.1.0.0/16 , 192.0.2.7, ::1, 2001:db8::/32,"
                                     "2001:db8::/64,");
    REQUIRE(set);
    for (const auto* inside :
         {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.0.2.7", "::1",
          "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.7"}) {
        INFO(inside);
        CHECK(set->contains(ip(inside)));
    }
    for (const auto* outside :
         {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "::", "::2",
          "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "::ffff:192.0.2.8"}) {
        INFO(outside);
        CHECK_FALSE(set->contains(ip(outside)));
    }
    CHECK_FALSE(set->empty());
    CHECK(cidr_set::parse(" ")->empty());
    CHECK(cidr_set().empty());
    CHECK_FALSE(cidr_set().contains(ip("::1")));
    CHECK(cidr_set::parse("10.0.0.0/8, nonsense").error().slug == "invalid-cidr");
}

TEST_CASE("a set of everything holds the ends of both families", "[gateway]") {
    const auto all = cidr_set::parse("0.0.0.0/0, ::/0");
    REQUIRE(all);
    for (const auto* each :
         {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
        CHECK(all->contains(ip(each)));
    }
    CHECK_FALSE(cidr_set::parse("::/0")->contains(ip("0.0.0.0")));
}

TEST_CASE("a set holds what one of its blocks holds", "[gateway]") {
    std::mt19937 random(11);
    for (int round = 0; round < 50; ++round) {
        std::vector<cidr> blocks;
        for (int i = 0; i < 20; ++i) {
            // Few addresses, so that blocks meet.
            const boost::asio::ip::address_v4 near(0x0a000000 + random() % 4'096);
            blocks.push_back(cidr::around(near, 20 + random() % 13));
        }
        const cidr_set set(blocks);
        for (std::uint32_t i = 0; i < 4'096; i += 3) {
            const boost::asio::ip::address_v4 address(0x0a000000 + i);
            const bool held = std::ranges::any_of(
                blocks, [&](const auto& each) { return each.contains(ip_address(address)); });
            CHECK(set.contains(address) == held);
        }
    }
}
