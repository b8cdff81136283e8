#include "ctl/bans_state.hpp"
#include "events/topics.hpp"
#include "gateway/client_address/cidr.hpp"

#include <catch2/catch_test_macros.hpp>

#include <relais/edge/v1/ban_events.pb.h>

using namespace relais;
using namespace std::chrono_literals;

namespace {

kafka::record record_of(const google::protobuf::Message& message) {
    return kafka::to_record(
        events::make_event(message, "relaisctl", {}, timestamp(1'790'000'000s)));
}

} // namespace

TEST_CASE("the prefix of a ban is written in one way, which the gateway reads", "[ctl][gateway]") {
    const std::vector<std::pair<std::string, std::string>> good{
        {"203.0.113.7", "203.0.113.7/32"},
        {"10.1.0.0/16", "10.1.0.0/16"},
        {"::ffff:10.0.0.1", "10.0.0.1/32"},
        {"2001:DB8:0::/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1/128"}};
    for (const auto& [given, prefix] : good) {
        const auto read = ctl::ban_prefix_of(given);
        REQUIRE(read);
        CHECK(*read == prefix);
        const auto at_gateway = gateway::cidr::parse(prefix);
        REQUIRE(at_gateway);
        CHECK(at_gateway->text() == prefix);
    }
    for (const std::string bad :
         {"", "shop", "10.1.2.3/8", "10.0.0.0/7", "0.0.0.0/0", "::/0", "2000::/8", "10.0.0.0/33",
          "10.0.0.0/", "::1/129", "fe80::1%lo", "10.0.0.0/8/8", "1.2.3"}) {
        CAPTURE(bad);
        const auto read = ctl::ban_prefix_of(bad);
        REQUIRE_FALSE(read);
        CHECK(read.error().slug == "usage");
    }
}

TEST_CASE("how long a ban lasts", "[ctl]") {
    CHECK(*ctl::ban_time_of("90s") == 90s);
    CHECK(*ctl::ban_time_of("15m") == 15min);
    CHECK(*ctl::ban_time_of("12h") == 12h);
    CHECK(*ctl::ban_time_of("90d") == ctl::ban_time_max);
    for (const std::string bad : {"", "0s", "90", "h", "-1h", "1.5h", "91d", "1w", "9999999999d"}) {
        CAPTURE(bad);
        CHECK_FALSE(ctl::ban_time_of(bad));
    }
}

TEST_CASE("the topic outlives every ban", "[ctl]") {
    CHECK(events::find_topic("edge.ban.events.v1")->retention > ctl::ban_time_max + 24h);
}

TEST_CASE("of several events about a prefix the last counts", "[ctl]") {
    ctl::ban_entries bans;
    edge::v1::AddressBanned banned;
    banned.set_prefix("10.0.0.1/32");
    banned.set_reason("first");
    ctl::apply_ban_event(record_of(banned), bans);
    banned.set_reason("second");
    banned.set_banned_by("ann");
    banned.mutable_expires_at()->set_seconds(1'800'000'000);
    ctl::apply_ban_event(record_of(banned), bans);
    REQUIRE(bans.size() == 1);
    CHECK(bans.begin()->second.reason == "second");
    CHECK(bans.begin()->second.banned_by == "ann");
    CHECK(bans.begin()->second.expires_at == timestamp(1'800'000'000s));
    edge::v1::BanLifted lifted;
    lifted.set_prefix("10.0.0.0/8");
    ctl::apply_ban_event(record_of(lifted), bans);
    CHECK(bans.size() == 1);
    lifted.set_prefix("10.0.0.1/32");
    ctl::apply_ban_event(record_of(lifted), bans);
    CHECK(bans.empty());
}
