#include "gateway/tls/tls_client.hpp"
#include "support/tls_rig.hpp"

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <filesystem>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;
using relais::test::certificate_authority;
using relais::test::peer_settings;
using relais::test::shake_hands;
using relais::test::socket_pair;
using relais::test::tls_pair;
using relais::test::tls_peer_client;
using relais::test::tls_rig;

namespace {

constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

/// A server that asks for certificates of the rig's authority.
struct mutual_rig : tls_rig {
    explicit mutual_rig(client_certificates policy)
        : tls_rig({.alpn = {"http/1.1"}, .client_certificates = policy}) {
        settings.client_ca_file = authority.ca_file();
    }

    peer_settings client(certificate_authority& by, int version) {
        const auto pair = by.issue("client", {.common_name = "web-api",
                                              .dns_names = {"web-api.internal"},
                                              .uri = "spiffe://relais/web-api"});
        return {.chain_file = pair.chain_file,
                .key_file = pair.key_file,
                .version_min = version,
                .version_max = version};
    }
};

/// A connection of a tls_client to the rig's server; the client's outcome.
tls_outcome connect(tls_rig& rig, tls_connector& connector, const std::string& name,
                    bool* resumed = nullptr, std::string* failure = nullptr) {
    const socket_pair sockets;
    auto server = rig.accept(sockets);
    auto client = connector.connect(sockets.theirs(), name, "127.0.0.1:8443");
    const auto outcome = shake_hands(client, server);
    std::string into(16, '\0');
    if (outcome.status == tls_status::done) {
        server.write("tickets came before this");
        client.read(into);
    }
    if (resumed != nullptr) {
        *resumed = client.facts().resumed;
    }
    if (failure != nullptr) {
        *failure = client.failure_text();
    }
    return outcome;
}

tls_client_settings believing(const tls_rig& rig) {
    return {.ca_file = rig.authority.ca_file()};
}

} // namespace

TEST_CASE("a required certificate is verified and described", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    mutual_rig rig(client_certificates::required);
    tls_pair pair(rig, rig.client(rig.authority, version));
    const auto peer = pair.ours.peer();
    REQUIRE(peer.has_value());
    CHECK(peer->subject == "CN=web-api");
    CHECK(peer->dns_names == std::vector<std::string>{"web-api.internal"});
    CHECK(peer->uris == std::vector<std::string>{"spiffe://relais/web-api"});
    CHECK(peer->sha256.size() == 64);
    CHECK(peer->not_after > system_clock().now());
}

TEST_CASE("a required certificate that is missing", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    mutual_rig rig(client_certificates::required);
    tls_peer_client client({.version_min = version, .version_max = version});
    CHECK(rig.meet(client).failure == tls_failure::certificate_missing);
}

TEST_CASE("an optional certificate may be missing but not wrong", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    mutual_rig rig(client_certificates::optional);
    tls_pair without(rig, {.version_min = version, .version_max = version});
    CHECK_FALSE(without.ours.peer().has_value());
    tls_pair with(rig, rig.client(rig.authority, version));
    CHECK(with.ours.peer()->subject == "CN=web-api");
    certificate_authority stranger(rig.folder, "stranger");
    tls_peer_client wrong(rig.client(stranger, version));
    CHECK(rig.meet(wrong).failure == tls_failure::certificate_refused);
}

TEST_CASE("a client certificate of another authority", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    mutual_rig rig(client_certificates::required);
    certificate_authority stranger(rig.folder, "stranger");
    tls_peer_client client(rig.client(stranger, version));
    const socket_pair sockets;
    auto session = rig.accept(sockets);
    client.connect(sockets.theirs());
    CHECK(shake_hands(session, client).failure == tls_failure::certificate_refused);
    CHECK_THAT(session.failure_text(), ContainsSubstring("certificate_refused: "));
    CHECK_FALSE(session.peer().has_value());
    client.handshake();
    client.read();
    CHECK(client.failure() == "tlsv1 alert unknown ca");
}

TEST_CASE("a resumed session keeps its certificate", "[gateway][tls]") {
    mutual_rig rig(client_certificates::required);
    tls_peer_client client(rig.client(rig.authority, GENERATE(tls_1_2, tls_1_3)));
    REQUIRE(rig.meet(client).status == tls_status::done);
    const socket_pair sockets;
    auto session = rig.accept(sockets);
    client.connect(sockets.theirs());
    REQUIRE(shake_hands(session, client).status == tls_status::done);
    CHECK(session.facts().resumed);
    CHECK(session.peer()->subject == "CN=web-api");
}

TEST_CASE("new authorities hold for new connections; broken ones change nothing",
          "[gateway][tls]") {
    mutual_rig rig(client_certificates::required);
    certificate_authority next(rig.folder, "next");
    const auto file = rig.folder.file("clients.pem");
    std::filesystem::copy_file(rig.authority.ca_file(), file);
    rig.settings.client_ca_file = file;
    tls_peer_client old(rig.client(rig.authority, tls_1_3));
    CHECK(rig.meet(old).status == tls_status::done);
    rig.folder.write("clients.pem", "nothing");
    CHECK(rig.server->reload_authorities().error().slug == "no-certificate");
    tls_peer_client again(rig.client(rig.authority, tls_1_3));
    CHECK(rig.meet(again).status == tls_status::done);
    std::filesystem::copy_file(next.ca_file(), file,
                               std::filesystem::copy_options::overwrite_existing);
    REQUIRE(rig.server->reload_authorities().has_value());
    CHECK(rig.meet(again).failure == tls_failure::certificate_refused);
    tls_peer_client young(rig.client(next, tls_1_3));
    CHECK(rig.meet(young).status == tls_status::done);
}

TEST_CASE("a server that cannot be made says why", "[gateway][tls]") {
    tls_rig rig;
    const auto make = [&](tls_server_settings settings) {
        const tls_server made(std::move(settings), rig.certificates, rig.keys.keys(), rig.time);
    };
    CHECK_THROWS_WITH(make({.client_certificates = client_certificates::required}),
                      ContainsSubstring("no CA file"));
    CHECK_THROWS_WITH(make({.client_certificates = client_certificates::optional,
                            .client_ca_file = rig.folder.file("none.pem")}),
                      ContainsSubstring("none.pem: No such file"));
    CHECK_THROWS_WITH(make({.alpn = {""}}), ContainsSubstring("ALPN"));
    CHECK_THROWS_WITH(make({.alpn = {std::string(256, 'x')}}), ContainsSubstring("ALPN"));
}

TEST_CASE("a service is believed by its authority and its name", "[gateway][tls]") {
    tls_rig rig;
    rig.publish({rig.authority.issue(
        "service", {.dns_names = {"web-api.internal"}, .addresses = {"127.0.0.1", "::1"}})});
    const tls_client client(believing(rig), rig.time);
    tls_connector connector(client);
    CHECK(connect(rig, connector, "web-api.internal").status == tls_status::done);
    CHECK(connect(rig, connector, "127.0.0.1").status == tls_status::done);
    CHECK(connect(rig, connector, "::1").status == tls_status::done);
    std::string failure;
    CHECK(connect(rig, connector, "upload.internal", nullptr, &failure).failure ==
          tls_failure::certificate_refused);
    CHECK_THAT(failure, ContainsSubstring("ostname mismatch"));
    CHECK(connect(rig, connector, "127.0.0.2").failure == tls_failure::certificate_refused);
    CHECK(connect(rig, connector, "").failure == tls_failure::internal);

    const certificate_authority stranger(rig.folder, "stranger");
    const tls_client doubtful({.ca_file = stranger.ca_file()}, rig.time);
    tls_connector doubting(doubtful);
    CHECK(connect(rig, doubting, "web-api.internal").failure == tls_failure::certificate_refused);
    const tls_client of_the_system({}, rig.time);
    tls_connector by_the_system(of_the_system);
    CHECK(connect(rig, by_the_system, "web-api.internal").failure ==
          tls_failure::certificate_refused);
}

TEST_CASE("a client shows its certificate", "[gateway][tls]") {
    mutual_rig rig(client_certificates::required);
    const auto own = rig.authority.issue("gateway", {.common_name = "gateway"});
    auto settings = believing(rig);
    const tls_client bare(settings, rig.time);
    tls_connector without(bare);
    const auto refused = connect(rig, without, "one.example");
    // In TLS 1.3 the client is done before the server has seen that nothing came.
    CHECK(refused.status == tls_status::done);
    settings.chain_file = own.chain_file;
    settings.key_file = own.key_file;
    const tls_client client(settings, rig.time);
    tls_connector connector(client);
    const socket_pair sockets;
    auto server = rig.accept(sockets);
    auto session = connector.connect(sockets.theirs(), "one.example", "a");
    REQUIRE(shake_hands(server, session).status == tls_status::done);
    CHECK(server.peer()->subject == "CN=gateway");
    CHECK(session.facts().alpn == "http/1.1");
    CHECK(session.peer()->dns_names == std::vector<std::string>{"one.example"});
}

TEST_CASE("sessions are reused for each target, until a reload", "[gateway][tls]") {
    tls_rig rig;
    tls_client client(believing(rig), rig.time);
    tls_connector connector(client);
    bool resumed = true;
    REQUIRE(connect(rig, connector, "one.example", &resumed).status == tls_status::done);
    CHECK_FALSE(resumed);
    CHECK(connector.tickets("127.0.0.1:8443") == 1);
    CHECK(connector.tickets("127.0.0.1:9999") == 0);
    REQUIRE(connect(rig, connector, "one.example", &resumed).status == tls_status::done);
    CHECK(resumed);
    REQUIRE(client.reload().has_value());
    REQUIRE(connect(rig, connector, "one.example", &resumed).status == tls_status::done);
    CHECK_FALSE(resumed);
}

TEST_CASE("a client's broken files are reported together and change nothing", "[gateway][tls]") {
    tls_rig rig;
    auto own = rig.authority.issue("own", {});
    tls_client client({rig.authority.ca_file(), own.chain_file, own.key_file, {}}, rig.time);
    CHECK(client.files().size() == 3);
    rig.authority.issue("own",
                        {.valid_from = std::chrono::hours(-2), .valid_to = std::chrono::hours(-1)});
    std::filesystem::rename(rig.authority.issue("other", {}).key_file, own.key_file);
    const auto reloaded = client.reload();
    REQUIRE_FALSE(reloaded.has_value());
    REQUIRE(reloaded.error().size() == 2);
    CHECK(reloaded.error()[0].slug == "key-mismatch");
    CHECK(reloaded.error()[1].slug == "certificate-expired");
    tls_connector connector(client);
    CHECK(connect(rig, connector, "one.example").status == tls_status::done);
    CHECK_THROWS_WITH(tls_client({rig.folder.file("none"), own.chain_file, "", {}}, rig.time),
                      ContainsSubstring("none: No such file") && ContainsSubstring("go together"));
}
