#include "gateway/events/ban_feed.hpp"

#include <catch2/catch_test_macros.hpp>

#include <relais/edge/v1/ban_events.pb.h>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

struct rig {
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    manual_clock time{timestamp(1'790'000'000s)};
    std::shared_ptr<const ban_list> last;
    int lists = 0;
    ban_feed feed{0ms,
                  [this](std::shared_ptr<const ban_list> now) {
                      last = std::move(now);
                      ++lists;
                  },
                  time,
                  loop,
                  metrics,
                  log::logger()};

    kafka::record record_of(const google::protobuf::Message& message) const {
        return kafka::to_record(events::make_event(message, "relaisctl", {}, time.now()));
    }

    void ban(const std::string& prefix, std::chrono::seconds lasts) {
        edge::v1::AddressBanned message;
        message.set_prefix(prefix);
        message.set_reason("a test");
        const auto until =
            std::chrono::floor<std::chrono::seconds>(time.now() + lasts).time_since_epoch();
        message.mutable_expires_at()->set_seconds(until.count());
        feed.on_record(record_of(message));
    }

    void lift(const std::string& prefix) {
        edge::v1::BanLifted message;
        message.set_prefix(prefix);
        feed.on_record(record_of(message));
    }

    void settle() {
        loop.restart();
        loop.poll();
    }

    bool is_banned(const std::string& address) const {
        return last->find(boost::asio::ip::address::from_string(address), time.now()) != nullptr;
    }

    bool shows(const std::string& line) const {
        return metrics.serialize().find(line) != std::string::npos;
    }
};

} // namespace

TEST_CASE("bans come and go by events, and many at once are one list", "[gateway]") {
    rig with;
    with.ban("10.0.0.0/8", 1h);
    with.ban("2001:db8::/32", 1h);
    with.ban("192.0.2.1/32", -1s); // over already
    with.settle();
    CHECK(with.lists == 1);
    CHECK(with.is_banned("10.1.2.3"));
    CHECK(with.is_banned("2001:db8::1"));
    CHECK_FALSE(with.is_banned("192.0.2.1"));
    CHECK(with.shows("gateway_bans_in_force 2\n"));
    with.lift("10.0.0.0/8");
    with.lift("10.9.0.0/16"); // was none
    with.settle();
    CHECK(with.lists == 2);
    CHECK_FALSE(with.is_banned("10.1.2.3"));
    CHECK(with.shows("gateway_bans_in_force 1\n"));
    with.ban("2001:db8::/32", -1s); // a shorter one takes the place of the longer
    with.settle();
    CHECK_FALSE(with.is_banned("2001:db8::1"));
}

TEST_CASE("what is no ban is counted and changes nothing", "[gateway]") {
    rig with;
    with.ban("10.1.2.3/8", 1h);
    with.lift("nobody");
    with.feed.on_record({.topic = "edge.ban.events.v1", .key = "x", .value = "junk"});
    with.settle();
    CHECK(with.lists == 0);
    CHECK(with.shows("gateway_ban_events_total{result=\"rejected\"} 3\n"));
}

TEST_CASE("without a broker the edge is ready when it has waited", "[gateway]") {
    rig with;
    CHECK(with.feed.is_ready(false));
    const ban_feed waiting(
        1h, [](const auto&) {}, with.time, with.loop, with.metrics, log::logger());
    CHECK(waiting.is_ready(false).error().slug == "bans-unknown");
    CHECK(waiting.is_ready(true));
}
