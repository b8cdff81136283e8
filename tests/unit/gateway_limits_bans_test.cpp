#include "gateway/limits/ban_list.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

const timestamp now{std::chrono::sys_days(std::chrono::year(2024) / 5 / 1)};

cidr block(std::string_view text) {
    const auto out = cidr::parse(text);
    REQUIRE(out);
    return *out;
}

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

ban made(std::string_view text, std::chrono::seconds lasts, std::string reason = "abuse") {
    return {block(text), now + lasts, std::move(reason)};
}

std::string reason_for(const ban_list& bans, std::string_view address, timestamp when = now) {
    const auto* found = bans.find(ip(address), when);
    return found == nullptr ? "" : found->reason;
}

} // namespace

TEST_CASE("no bans ban nobody", "[gateway]") {
    const ban_list none;
    CHECK(none.find(ip("10.0.0.1"), now) == nullptr);
    CHECK(none.size() == 0);
    const ban_list empty({}, now);
    CHECK(empty.find(ip("::1"), now) == nullptr);
}

TEST_CASE("an address is found by any prefix that holds it, the longest first", "[gateway]") {
    const ban_list bans({made("10.0.0.0/8", 1h, "net"), made("10.1.2.3", 1h, "one"),
                         made("2001:db8::/32", 1h, "six"),
                         made("2001:db8:1::/64", 1h, "sixty-four")},
                        now);
    CHECK(reason_for(bans, "10.1.2.3") == "one");
    CHECK(reason_for(bans, "::ffff:10.1.2.3") == "one");
    CHECK(reason_for(bans, "10.1.2.4") == "net");
    CHECK(reason_for(bans, "11.1.2.4").empty());
    CHECK(reason_for(bans, "2001:db8::1") == "six");
    CHECK(reason_for(bans, "2001:db8:1::1") == "sixty-four");
    CHECK(reason_for(bans, "2001:db9::1").empty());
}

TEST_CASE("a ban is over when its time is, and a wider one goes on", "[gateway]") {
    const ban_list bans({made("10.0.0.0/8", 2h, "net"), made("10.1.2.3", 1h, "one")}, now);
    CHECK(reason_for(bans, "10.1.2.3", now + 1h - 1us) == "one");
    CHECK(reason_for(bans, "10.1.2.3", now + 1h) == "net");
    CHECK(reason_for(bans, "10.1.2.3", now + 2h).empty());
}

TEST_CASE("a change gives a new list and leaves the old one", "[gateway]") {
    const ban_list before({made("10.0.0.1", 1h)}, now);
    const auto with = before.with(made("10.0.0.2", 1h, "second"), now);
    CHECK(reason_for(before, "10.0.0.2").empty());
    CHECK(reason_for(with, "10.0.0.2") == "second");
    CHECK(with.size() == 2);
    const auto again = with.with(made("10.0.0.2", 2h, "longer"), now);
    CHECK(again.size() == 2);
    CHECK(reason_for(again, "10.0.0.2", now + 90min) == "longer");
    const auto shorter = again.with(made("10.0.0.2", 1min, "pardoned"), now);
    CHECK(reason_for(shorter, "10.0.0.2", now + 2min).empty());
    const auto without = again.without(block("10.0.0.2"), now);
    CHECK(without.size() == 1);
    CHECK(reason_for(without, "10.0.0.2").empty());
    CHECK(reason_for(without, "10.0.0.1") == "abuse");
    CHECK(without.without(block("10.0.0.0/8"), now).size() == 1);
}

TEST_CASE("what is over is dropped with the next change", "[gateway]") {
    const ban_list bans({made("10.0.0.1", 1h), made("10.0.0.2", 2h), made("10.0.0.3", 0s)}, now);
    CHECK(bans.size() == 2);
    CHECK(bans.with(made("10.0.0.4", 3h), now + 1h).size() == 2);
    CHECK(bans.without(block("10.9.9.9"), now + 2h).size() == 0);
    CHECK(bans.with(made("10.0.0.5", 1h), now + 3h).size() == 0);
    CHECK(bans.dropped() == 0);
}

TEST_CASE("of too many bans those that end first are dropped and counted", "[gateway]") {
    std::vector<ban> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back(made(fmt::format("10.0.0.{}", i), std::chrono::seconds(1'000 + i % 50)));
    }
    const ban_list bans(many, now, 50);
    CHECK(bans.size() == 50);
    CHECK(bans.dropped() == 50);
    CHECK(reason_for(bans, "10.0.0.0").empty());
    CHECK(reason_for(bans, "10.0.0.99") == "abuse");
    const auto more = bans.with(made("10.1.0.0", 1h), now);
    CHECK(more.size() == 50);
    CHECK(more.dropped() == 51);
    CHECK(reason_for(more, "10.1.0.0") == "abuse");
}

TEST_CASE("of several bans of one prefix the last counts", "[gateway]") {
    const ban_list bans({made("10.0.0.1", 1h, "first"), made("10.0.0.1", 1h, "last"),
                         made("::ffff:10.0.0.1", 1h, "mapped")},
                        now);
    REQUIRE(bans.size() == 1);
    CHECK(bans.all().front().reason == "mapped");
}

TEST_CASE("many bans of many lengths are all found, and nobody else", "[gateway]") {
    std::vector<ban> many;
    for (unsigned i = 0; i < 5'000; ++i) {
        const boost::asio::ip::address_v4 address(0x0a000000 + i * 256);
        many.push_back({cidr::around(address, 24 + i % 9), now + 1h, ""});
    }
    const ban_list bans(many, now);
    for (unsigned i = 0; i < 5'000; ++i) {
        const auto* found = bans.find(boost::asio::ip::address_v4(0x0a000000 + i * 256), now);
        REQUIRE(found != nullptr);
        CHECK(found->prefix == many[i].prefix);
        const bool all = i % 9 == 0;
        const auto* last = bans.find(boost::asio::ip::address_v4(0x0a0000ff + i * 256), now);
        CHECK((last != nullptr) == all);
    }
}
