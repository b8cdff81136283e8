// How connections end, in order and otherwise.
#include "support/tls_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <sys/socket.h>

using namespace relais;
using namespace relais::gateway;
using relais::test::peer_settings;
using relais::test::tls_pair;
using relais::test::tls_rig;

namespace {

constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

peer_settings only(int version) {
    return {.version_min = version, .version_max = version};
}

} // namespace

TEST_CASE("half-close: the client ends its direction and still gets the answer", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    pair.theirs.write("last words");
    pair.theirs.send_close();
    std::string into(64, '\0');
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::done, {}, 10});
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::closed, {}, 0});
    CHECK(pair.ours.read(into).status == tls_status::closed);
    CHECK(pair.ours.write("answer").status == tls_status::done);
    CHECK(pair.ours.shutdown().status == tls_status::done);
    CHECK(pair.theirs.read() == "answer");
    CHECK(pair.theirs.saw_close());
}

TEST_CASE("half-close: we end ours and go on reading", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    CHECK(pair.ours.shutdown().status == tls_status::done);
    CHECK(pair.ours.shutdown().status == tls_status::done);
    CHECK(pair.theirs.read().empty());
    CHECK(pair.theirs.saw_close());
    pair.theirs.write("late");
    pair.theirs.send_close();
    std::string into(64, '\0');
    CHECK(pair.ours.read(into).bytes == 4);
    CHECK(pair.ours.read(into).status == tls_status::closed);
}

TEST_CASE("close_notify waits for what the socket did not take", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    pair.sockets.shrink();
    std::string_view rest;
    const std::string sent(100'000, 'x');
    rest = sent;
    auto outcome = pair.ours.write(rest);
    REQUIRE(outcome.status == tls_status::want_write);
    CHECK(pair.ours.shutdown().status == tls_status::want_write);
    std::string got = pair.theirs.read();
    while (outcome.status == tls_status::want_write) {
        rest.remove_prefix(outcome.bytes);
        outcome = pair.ours.write(rest);
        got += pair.theirs.read();
    }
    auto ended = pair.ours.shutdown();
    while (ended.status == tls_status::want_write) {
        got += pair.theirs.read();
        ended = pair.ours.shutdown();
    }
    got += pair.theirs.read();
    CHECK(ended.status == tls_status::done);
    CHECK(got == sent);
    CHECK(pair.theirs.saw_close());
}

TEST_CASE("an end without close_notify is no end of the content", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    pair.theirs.write("half a mess");
    pair.sockets.end_theirs();
    std::string into(64, '\0');
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::done, {}, 11});
    const tls_outcome truncated{tls_status::failed, tls_failure::truncated, 0};
    CHECK(pair.ours.read(into) == truncated);
    CHECK(pair.ours.write("x") == truncated);
    CHECK(pair.ours.failure_text() == "truncated: unexpected eof while reading");
}

TEST_CASE("a record that was tampered with", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    pair.sockets.say(std::string("\x17\x03\x03\x00\x40", 5) + std::string(64, 'x'));
    std::string into(64, '\0');
    CHECK(pair.ours.read(into) ==
          tls_outcome{tls_status::failed, tls_failure::protocol_violated, 0});
    CHECK(pair.theirs.read().empty());
    CHECK(pair.theirs.failed()); // it was told
}

TEST_CASE("writing to a peer that is gone", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    ::shutdown(pair.sockets.theirs(), SHUT_RDWR);
    const auto outcome = pair.ours.write("x");
    CHECK(outcome == tls_outcome{tls_status::failed, tls_failure::reset, 0});
    CHECK(pair.ours.failure_text() == "reset: Broken pipe");
}

TEST_CASE("the client changes keys (1.3) or asks for a new handshake (1.2)", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    tls_rig rig;
    tls_pair pair(rig, only(version));
    pair.theirs.unsettle();
    std::string into(64, '\0');
    CHECK(pair.ours.read(into).status == tls_status::want_read);
    pair.theirs.handshake();
    if (version == tls_1_2) {
        CHECK(pair.theirs.failure() == "no renegotiation");
        return;
    }
    CHECK(pair.ours.write("goes on").status == tls_status::done);
    CHECK(pair.theirs.read() == "goes on");
    pair.theirs.write("both ways");
    CHECK(pair.ours.read(into).bytes == 9);
}
