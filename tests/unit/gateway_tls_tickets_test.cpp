#include "gateway/tls/ticket_key_file.hpp"
#include "support/tls_rig.hpp"

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <filesystem>
#include <fstream>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using relais::test::certificate_folder;
using relais::test::peer_settings;
using relais::test::tls_peer_client;
using relais::test::tls_rig;

namespace {

constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

peer_settings only(int version) {
    return {.server_name = "one.example", .version_min = version, .version_max = version};
}

bool resumes(tls_rig& rig, tls_peer_client& client, const std::string& name = "") {
    REQUIRE(rig.meet(client, name).status == tls_status::done);
    return client.resumed();
}

std::string text_in(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<ticket_key> keys_of(const ticket_keys& keys) {
    return keys.keys().current()->keys;
}

} // namespace

TEST_CASE("a ticket resumes, again and again", "[gateway][tls]") {
    tls_rig rig;
    tls_peer_client client(only(GENERATE(tls_1_2, tls_1_3)));
    CHECK_FALSE(resumes(rig, client));
    REQUIRE(client.has_ticket());
    CHECK(resumes(rig, client));
    CHECK(resumes(rig, client)); // in TLS 1.3 each brings the next; one of TLS 1.2 stays good
    CHECK(client.has_ticket());
}

TEST_CASE("a resumed session still knows its name", "[gateway][tls]") {
    tls_rig rig;
    tls_peer_client client(only(GENERATE(tls_1_2, tls_1_3)));
    CHECK_FALSE(resumes(rig, client));
    const test::socket_pair sockets;
    auto session = rig.accept(sockets);
    client.connect(sockets.theirs());
    REQUIRE(test::shake_hands(session, client).status == tls_status::done);
    CHECK(session.facts().resumed);
    CHECK(session.facts().server_name == "one.example");
}

TEST_CASE("a ticket is good for the name it was given for", "[gateway][tls]") {
    tls_rig rig;
    tls_peer_client client(only(GENERATE(tls_1_2, tls_1_3)));
    CHECK_FALSE(resumes(rig, client));
    CHECK_FALSE(resumes(rig, client, "two.example"));
    CHECK(resumes(rig, client, "two.example"));
}

TEST_CASE("a ticket outlives rotations until its key is dropped", "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    const int rotations = GENERATE(1, 2, 3);
    tls_rig rig;
    tls_peer_client client(only(version));
    CHECK_FALSE(resumes(rig, client));
    for (int i = 0; i < rotations; ++i) {
        rig.time.advance(8h);
        CHECK(rig.keys.refresh().value());
    }
    CHECK(resumes(rig, client) == (rotations < 3));
    CHECK(client.has_ticket());
    CHECK(resumes(rig, client)); // by a ticket of the new key
}

TEST_CASE("a ticket survives new certificates, but not other authorities", "[gateway][tls]") {
    tls_rig rig({.client_certificates = client_certificates::optional});
    rig.settings.client_ca_file = rig.folder.write("ca.pem", text_in(rig.authority.ca_file()));
    tls_peer_client client(only(tls_1_3));
    CHECK_FALSE(resumes(rig, client));
    rig.publish({rig.authority.issue("next", {.dns_names = {"one.example"}})});
    CHECK(resumes(rig, client));
    const test::certificate_authority other(rig.folder, "other");
    rig.folder.write("ca.pem", text_in(other.ca_file()));
    REQUIRE(rig.server->reload_authorities().has_value());
    CHECK_FALSE(resumes(rig, client));
}

TEST_CASE("a ticket of an open listener does not open one that asks for certificates",
          "[gateway][tls]") {
    const int version = GENERATE(tls_1_2, tls_1_3);
    tls_rig rig;
    tls_peer_client client(only(version));
    CHECK_FALSE(resumes(rig, client));
    auto closed = rig.settings;
    closed.client_certificates = client_certificates::required;
    closed.client_ca_file = rig.authority.ca_file();
    const tls_server strict(closed, rig.certificates, rig.keys.keys(), rig.time);
    tls_acceptor acceptor(strict);
    const test::socket_pair sockets;
    auto session = acceptor.accept(sockets.ours());
    client.connect(sockets.theirs());
    CHECK(test::shake_hands(session, client).failure == tls_failure::certificate_missing);
}

TEST_CASE("instances with one key file resume each other's sessions", "[gateway][tls]") {
    tls_rig one;
    tls_rig other;
    const ticket_key_settings shared{.file = one.folder.file("tickets")};
    const ticket_keys first(shared, one.time);
    const ticket_keys second(shared, other.time);
    one.server.emplace(one.settings, one.certificates, first.keys(), one.time);
    one.acceptor.emplace(*one.server);
    other.server.emplace(other.settings, other.certificates, second.keys(), other.time);
    other.acceptor.emplace(*other.server);
    tls_peer_client client(only(tls_1_3));
    CHECK_FALSE(resumes(one, client));
    CHECK(resumes(other, client));
}

TEST_CASE("keys are made anew every eight hours, and three are kept", "[gateway][tls]") {
    manual_clock time(system_clock().now());
    ticket_keys keys({}, time);
    const auto first = keys_of(keys);
    REQUIRE(first.size() == 1);
    time.advance(8h - 1s);
    CHECK_FALSE(keys.refresh().value());
    time.advance(2s);
    CHECK(keys.refresh().value());
    CHECK_FALSE(keys.refresh().value());
    REQUIRE(keys_of(keys).size() == 2);
    CHECK(keys_of(keys)[1] == first[0]);
    CHECK(keys_of(keys)[0].name != first[0].name);
    REQUIRE(keys.rotate().has_value());
    REQUIRE(keys.rotate().has_value());
    CHECK(keys_of(keys).size() == 3);
    CHECK(keys.keys().current()->find(first[0].name) == nullptr);
}

TEST_CASE("a key file is rotated by one and followed by the others", "[gateway][tls]") {
    const certificate_folder folder;
    manual_clock time(system_clock().now());
    const ticket_key_settings shared{.file = folder.file("tickets")};
    ticket_keys first(shared, time);
    ticket_keys second(shared, time);
    CHECK(keys_of(first) == keys_of(second));
    const auto mode = std::filesystem::status(shared.file).permissions();
    CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    time.advance(8h);
    CHECK(first.refresh().value());
    CHECK(second.refresh().value());
    CHECK(keys_of(first).size() == 2);
    CHECK(keys_of(first) == keys_of(second));
    REQUIRE(second.rotate().has_value());
    CHECK(first.refresh().value());
    CHECK(keys_of(first) == keys_of(second));
    CHECK(parse_ticket_keys(text_in(shared.file)).value() == keys_of(first));
}

TEST_CASE("a new key of a file seals when the neighbours know it", "[gateway][tls]") {
    const test::certificate_folder folder;
    manual_clock time(system_clock().now());
    ticket_keys keys({.rotate_every = 10s, .file = folder.file("tickets")}, time);
    const auto sealing = [&] {
        const auto now = keys.keys().current();
        return now->keys[now->sealing].name;
    };
    const auto first = sealing();
    time.advance(11s);
    REQUIRE(keys.refresh().value());
    REQUIRE(keys_of(keys).size() == 2);
    CHECK(sealing() == first);
    time.advance(ticket_keys::known_after);
    CHECK(keys.refresh().value());
    CHECK(sealing() != first);
    CHECK_FALSE(keys.refresh().value());
}

TEST_CASE("a neighbour that is at the key file is not waited for", "[gateway][tls]") {
    const certificate_folder folder;
    manual_clock time(system_clock().now());
    ticket_keys keys({.file = folder.file("tickets")}, time);
    time.advance(8h);
    {
        const auto lock = ticket_key_lock::take(folder.file("tickets"), false);
        REQUIRE(lock.has_value());
        CHECK(keys.refresh().error().slug == "ticket-keys-locked");
        CHECK(keys_of(keys).size() == 1);
    }
    CHECK(keys.refresh().value());
}

TEST_CASE("other settings of keys hold without a restart", "[gateway][tls]") {
    const certificate_folder folder;
    const manual_clock time(system_clock().now());
    ticket_keys shared({.file = folder.file("shared")}, time);
    ticket_keys keys({.rotate_every = 8h}, time);
    const auto own = keys_of(keys);
    REQUIRE(keys.use({.file = folder.file("shared")}));
    CHECK(keys_of(keys) == keys_of(shared));
    std::ofstream(folder.file("broken")) << "no key\n";
    CHECK_FALSE(keys.use({.file = folder.file("broken")}));
    CHECK(keys_of(keys) == keys_of(shared));
    REQUIRE(keys.refresh());                 // by the settings before
    REQUIRE(keys.use({.rotate_every = 1h})); // no file: what is there stays
    CHECK(keys_of(keys) == keys_of(shared));
    CHECK(keys_of(keys) != own);
}

TEST_CASE("a key file that may not be written is only read", "[gateway][tls]") {
    const certificate_folder folder;
    manual_clock time(system_clock().now());
    const auto file = folder.file("tickets");
    std::filesystem::create_directory(file + ".lock"); // not even root can open it
    CHECK_THROWS_WITH(ticket_keys({.file = file}, time), ContainsSubstring("tickets.lock"));
    const auto theirs = ticket_key::random(time.now());
    folder.write("tickets", to_text({&theirs, 1}));
    ticket_keys keys({.file = file}, time);
    time.advance(48h);
    CHECK_FALSE(keys.refresh().value());
    CHECK(keys_of(keys) == std::vector{theirs});
    CHECK(keys.rotate().error().slug == "unwritable-file");
    const std::vector both{ticket_key::random(time.now()), theirs};
    folder.write("tickets", to_text(both));
    CHECK(keys.refresh().value());
    CHECK(keys_of(keys) == both);
}

TEST_CASE("a broken key file", "[gateway][tls]") {
    const certificate_folder folder;
    manual_clock time(system_clock().now());
    const auto file = folder.write("tickets", "12 abc\n");
    CHECK_THROWS_WITH(ticket_keys({.file = file}, time),
                      ContainsSubstring("tickets: line 1 has not 160 hexadecimal digits"));
    folder.write("tickets", "");
    ticket_keys keys({.file = file}, time);
    const auto good = keys_of(keys);
    folder.write("tickets", "x\n");
    CHECK(keys.refresh().error().slug == "broken-ticket-keys");
    CHECK(keys_of(keys) == good);
}

TEST_CASE("what is no line of ticket keys", "[gateway][tls]") {
    const std::string digits(160, 'a');
    CHECK(parse_ticket_keys("\n\n").value().empty());
    CHECK(parse_ticket_keys("1 " + digits).value().size() == 1);
    for (const std::string& text :
         {digits, "1" + digits, "-1 " + digits, "1  " + digits, "1 " + digits + " ",
          "1 " + digits + "\r\n", "1 " + digits.substr(1) + "g",
          "99999999999999999999 " + digits}) {
        CHECK(parse_ticket_keys(text).error().slug == "broken-ticket-keys");
    }
    std::string many;
    for (int i = 0; i < 33; ++i) {
        many += "1 " + digits + "\n";
    }
    CHECK_THAT(parse_ticket_keys(many).error().detail, ContainsSubstring("line 33"));
}
