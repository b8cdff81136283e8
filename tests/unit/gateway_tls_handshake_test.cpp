#include "support/tls_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <sys/socket.h>

using namespace relais;
using namespace relais::gateway;
using relais::test::peer_settings;
using relais::test::shake_hands;
using relais::test::socket_pair;
using relais::test::tls_pair;
using relais::test::tls_peer_client;
using relais::test::tls_rig;

namespace {

constexpr int tls_1_0 = 0x0301;
constexpr int tls_1_1 = 0x0302;
constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

peer_settings only(int version) {
    return {.version_min = version, .version_max = version};
}

tls_outcome greet_with(tls_rig& rig, const socket_pair& sockets, std::string_view bytes) {
    auto session = rig.accept(sockets);
    sockets.say(bytes);
    return session.handshake();
}

} // namespace

TEST_CASE("TLS 1.2 and 1.3 are spoken, and the log learns how", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    tls_rig rig;
    peer_settings settings = only(version);
    settings.server_name = "One.Example";
    settings.ca_file = rig.authority.ca_file();
    tls_pair pair(rig, settings);
    const auto facts = pair.ours.facts();
    CHECK(facts.version == (version == tls_1_3 ? "TLSv1.3" : "TLSv1.2"));
    CHECK(facts.version == pair.theirs.version());
    CHECK(facts.cipher.find("GCM") != std::string_view::npos);
    CHECK(facts.server_name == "One.Example");
    CHECK(facts.alpn.empty());
    CHECK_FALSE(facts.resumed);
    CHECK(pair.ours.established());
    CHECK_FALSE(pair.ours.peer().has_value());
    CHECK(pair.ours.failure_text() == "none");
}

TEST_CASE("older versions are refused", "[gateway][tls]") {
    const int version = GENERATE(tls_1_0, tls_1_1);
    tls_rig rig;
    tls_peer_client client(only(version));
    const auto outcome = rig.meet(client);
    CHECK(outcome == tls_outcome{tls_status::failed, tls_failure::unsupported_version, 0});
    client.handshake();
    CHECK(client.failure() == "tlsv1 alert protocol version");
}

TEST_CASE("a listener may want TLS 1.3", "[gateway][tls]") {
    tls_rig rig({.version_min = tls_version::tls_1_3});
    tls_peer_client old(only(tls_1_2));
    CHECK(rig.meet(old).failure == tls_failure::unsupported_version);
    tls_peer_client current(only(tls_1_3));
    CHECK(rig.meet(current).status == tls_status::done);
}

TEST_CASE("ciphers without forward secrecy are refused", "[gateway][tls]") {
    tls_rig rig;
    auto settings = only(tls_1_2);
    settings.ciphers = "AES128-GCM-SHA256:AES256-SHA:ECDHE-RSA-AES128-SHA";
    tls_peer_client client(settings);
    CHECK(rig.meet(client).failure == tls_failure::no_shared_parameters);
}

TEST_CASE("the certificate follows the name the client asks for", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    tls_rig rig;
    rig.publish({rig.authority.issue("a", {.dns_names = {"default.example"}}),
                 rig.authority.issue("b", {.dns_names = {"shop.example", "www.shop.example"}}),
                 rig.authority.issue("c", {.dns_names = {"*.shop.example"}})});
    const auto shown_for = [&](const std::string& name) {
        tls_peer_client client(only(version));
        REQUIRE(rig.meet(client, name).status == tls_status::done);
        return client.certificate_name();
    };
    CHECK(shown_for("shop.example") == "shop.example");
    CHECK(shown_for("WWW.shop.example") == "shop.example");
    CHECK(shown_for("api.shop.example") == "*.shop.example");
    CHECK(shown_for("a.b.shop.example") == "default.example");
    CHECK(shown_for("elsewhere.example") == "default.example");
    CHECK(shown_for("") == "default.example");
}

TEST_CASE("ECDSA for those who can, RSA for the others", "[gateway][tls]") {
    tls_rig rig;
    rig.publish({rig.authority.issue("r", {.dns_names = {"both.example"}, .key = "RSA"}),
                 rig.authority.issue("e", {.dns_names = {"both.example"}})});
    tls_peer_client modern(only(tls_1_3));
    REQUIRE(rig.meet(modern, "both.example").status == tls_status::done);
    CHECK(modern.certificate_key() == "EC");
    auto settings = only(tls_1_2);
    settings.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
    tls_peer_client old(settings);
    REQUIRE(rig.meet(old, "unknown.example").status == tls_status::done);
    CHECK(old.certificate_key() == "RSA");
}

TEST_CASE("ALPN: our preference, both protocols, a stranger is refused", "[gateway][tls]") {
    tls_rig rig;
    const auto negotiated = [&](std::vector<std::string> offered) {
        tls_pair pair(rig, {.alpn = std::move(offered)});
        CHECK(pair.ours.facts().alpn == pair.theirs.alpn());
        return pair.theirs.alpn();
    };
    CHECK(negotiated({"http/1.1", "h2"}) == "h2");
    CHECK(negotiated({"http/1.1"}) == "http/1.1");
    CHECK(negotiated({"spdy/3", "http/1.1"}) == "http/1.1");
    CHECK(negotiated({}).empty());
    tls_peer_client stranger({.alpn = {"smtp"}});
    CHECK(rig.meet(stranger).failure == tls_failure::no_shared_protocol);
    stranger.handshake();
    CHECK(stranger.failure() == "tlsv1 alert no application protocol");
}

TEST_CASE("a listener's own ALPN list", "[gateway][tls]") {
    tls_rig rig({.alpn = {"http/1.1"}});
    tls_pair pair(rig, {.alpn = {"h2", "http/1.1"}});
    CHECK(pair.ours.facts().alpn == "http/1.1");
    tls_rig none({.alpn = {}});
    tls_pair without(none, {.alpn = {"h2"}});
    CHECK(without.ours.facts().alpn.empty());
}

TEST_CASE("HTTP on the TLS port is told apart and left in the socket", "[gateway][tls]") {
    const std::string_view request = GENERATE(
        "GET / HTTP/1.1\r\nHost: one.example\r\n\r\n", "OPTIONS * HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\nPOST /x HTTP/1.1\r\n", "M-SEARCH * HTTP/1.1");
    tls_rig rig;
    const socket_pair sockets;
    CHECK(greet_with(rig, sockets, request) ==
          tls_outcome{tls_status::failed, tls_failure::plain_http, 0});
    CHECK(sockets.heard().empty());
    std::string rest(64, '\0');
    const auto count = recv(sockets.ours(), rest.data(), rest.size(), 0);
    CHECK(rest.substr(0, static_cast<std::size_t>(count)) == request);
}

TEST_CASE("garbage instead of a handshake", "[gateway][tls]") {
    using namespace std::string_view_literals;
    tls_rig rig;
    const auto failure_of = [&](std::string_view bytes) {
        const socket_pair sockets;
        auto session = rig.accept(sockets);
        sockets.say(bytes);
        sockets.end_theirs();
        auto outcome = session.handshake();
        CHECK(outcome.status == tls_status::failed);
        CHECK(session.handshake() == outcome);
        CHECK(session.shutdown().status == tls_status::done);
        CHECK_FALSE(session.has_pending());
        return outcome.failure;
    };
    CHECK(failure_of("\0\0\0\0"sv) == tls_failure::not_tls);
    CHECK(failure_of("SSH-2.0-OpenSSH_9.2\r\n") == tls_failure::not_tls);
    CHECK(failure_of("\x80\x2e\x01\x03\x01"sv) == tls_failure::not_tls);
    CHECK(failure_of("\x16GET / HTTP/1.1\r\n") == tls_failure::not_tls);
    CHECK(failure_of("\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff"sv) ==
          tls_failure::protocol_violated);
    CHECK(failure_of("\x16\x03\x01\xff\xff" + std::string(64, 'x')) ==
          tls_failure::protocol_violated);
    CHECK(failure_of("\x16\x03\x01\x02\x00\x01"sv) == tls_failure::truncated);
}

TEST_CASE("a probe that connects and leaves is no failure", "[gateway][tls]") {
    tls_rig rig;
    const socket_pair sockets;
    auto session = rig.accept(sockets);
    CHECK(session.handshake().status == tls_status::want_read);
    sockets.end_theirs();
    CHECK(session.handshake().status == tls_status::closed);
}

TEST_CASE("a handshake that arrives byte by byte", "[gateway][tls]") {
    tls_rig rig;
    const socket_pair before;
    const socket_pair behind;
    auto session = rig.accept(behind);
    tls_peer_client client({});
    client.connect(before.theirs());
    client.handshake();
    std::string hello(4'096, '\0');
    const auto size = recv(before.ours(), hello.data(), hello.size(), 0);
    REQUIRE(size > 100);
    for (const char byte : hello.substr(0, static_cast<std::size_t>(size))) {
        CHECK(session.handshake().status == tls_status::want_read);
        behind.say({&byte, 1});
    }
    CHECK(session.handshake().status == tls_status::want_read);
    CHECK(behind.heard().starts_with("\x16\x03\x03"));
}
