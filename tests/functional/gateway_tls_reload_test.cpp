#include "support/environment.hpp"
#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <thread>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::request_text;
using test::tls_connection;
using test::tls_gateway;
using test::tls_peer_client;

namespace {

std::string ask(tls_connection& connection) {
    connection.send(request_text("GET", "/v1/echo"));
    return connection.read_answer();
}

/// Whether a new connection of this client resumed its session.
bool visit(tls_peer_client& client, const tls_gateway& with) {
    tls_connection connection(client, with.port);
    REQUIRE(connection.secured());
    REQUIRE_THAT(ask(connection), StartsWith("HTTP/1.1 200"));
    return client.resumed();
}

/// The key of the certificate that a new connection gets.
std::string key_now(const tls_gateway& with) {
    tls_peer_client client(with.trusting());
    visit(client, with);
    return client.certificate_key();
}

std::string check_config(const std::string& file) {
    const auto command = fmt::format("RELAIS_IDENTITY_PRIVATE_KEY="
                                     "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A "
                                     "'{}/bin/relais-gateway' --check-config '{}' 2>&1",
                                     test::build_dir(), file);
    // NOLINTNEXTLINE(cert-env33-c): the program of the build, arguments of this file
    FILE* output = ::popen(command.c_str(), "r");
    REQUIRE(output != nullptr);
    std::string text;
    std::array<char, 4096> bytes{};
    while (const auto count = std::fread(bytes.data(), 1, bytes.size(), output)) {
        text.append(bytes.data(), count);
    }
    ::pclose(output);
    return text;
}

} // namespace

TEST_CASE("certificates change under traffic without a failed request", "[gateway][tls]") {
    tls_gateway with;
    tls_peer_client kept_client(with.trusting());
    tls_connection kept(kept_client, with.port);
    REQUIRE_THAT(ask(kept), StartsWith("HTTP/1.1 200"));
    std::atomic<bool> stopping{false};
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    std::thread traffic([&] {
        while (!stopping) {
            tls_peer_client client(with.trusting());
            tls_connection connection(client, with.port);
            ++(ask(connection).starts_with("HTTP/1.1 200") ? good : bad);
        }
    });
    with.authority.issue("one", {.dns_names = {"one.example"}, .key = "RSA"});
    while (key_now(with) != "RSA") {}
    with.folder.write("one.pem", "nonsense");
    CHECK(with.gateway.wait_for_log("certificates.refused"));
    CHECK(key_now(with) == "RSA");
    with.authority.issue("one", {.dns_names = {"one.example"}});
    while (key_now(with) != "EC") {}
    stopping = true;
    traffic.join();
    CHECK(bad == 0);
    CHECK(good > 0);
    CHECK_THAT(ask(kept), StartsWith("HTTP/1.1 200"));
    const auto count = [&](const std::string& result) {
        return with.metric(fmt::format(
            R"(gateway_certificate_reloads_total{{listener="127.0.0.1:{}",result="{}"}})",
            with.port, result));
    };
    CHECK(count("accepted") >= 2);
    CHECK(count("refused") >= 1);
    constexpr double day = 86'400;
    const auto now = static_cast<double>(std::time(nullptr));
    const auto ends = with.metric(fmt::format(
        R"(gateway_certificate_expiry_timestamp_seconds{{file="{}",listener="127.0.0.1:{}"}})",
        with.one.chain_file, with.port));
    CHECK(ends - now > 29 * day);
    CHECK(ends - now < 31 * day);
    const auto live = with.gateway.admin("/live.json");
    CHECK_THAT(live, ContainsSubstring(fmt::format(R"({{"listener":"127.0.0.1:{}","file":"{}",)",
                                                   with.port, with.one.chain_file)) &&
                         ContainsSubstring(R"("kind":"ecdsa","names":["one.example"],)") &&
                         ContainsSubstring(R"("days_left":29.9)"));
}

TEST_CASE("sessions are resumed, also when the keys of tickets were rotated", "[gateway][tls]") {
    const test::certificate_folder folder;
    const auto keys = folder.file("tickets");
    const tls_gateway with("",
                           fmt::format("ticket_keys {{ file: \"{}\" rotate_every_s: 1 }}", keys));
    tls_peer_client client(with.trusting());
    CHECK_FALSE(visit(client, with));
    CHECK(visit(client, with));
    const auto text = [&] {
        FILE* file = std::fopen(keys.c_str(), "r");
        std::string out(4096, '\0');
        out.resize(std::fread(out.data(), 1, out.size(), file));
        std::fclose(file);
        return out;
    };
    const auto first = text();
    while (text() == first) {}
    CHECK(visit(client, with));
    CHECK(with.metric(
              R"(gateway_tls_handshakes_total{result="done",resumed="yes",version="TLSv1.3"})") ==
          2);
}

TEST_CASE("other settings of ticket keys hold without a restart", "[gateway][tls]") {
    const test::certificate_folder folder;
    const auto keys = folder.file("tickets");
    tls_gateway with;
    tls_peer_client client(with.trusting());
    CHECK_FALSE(visit(client, with));
    CHECK(visit(client, with));
    with.gateway.replace_routes(
        with.routes("", fmt::format("ticket_keys {{ file: \"{}\" }}", keys)));
    REQUIRE(with.gateway.wait_for_log(R"("event":"ticket_keys.changed")"));
    while (!std::filesystem::exists(keys)) {}
    while (visit(client, with)) {} // the keys before are not in the file
    CHECK(visit(client, with));
}

TEST_CASE("listeners come and go with the configuration", "[gateway][tls]") {
    tls_gateway with;
    tls_peer_client client(with.trusting());
    tls_connection kept(client, with.port);
    REQUIRE_THAT(ask(kept), StartsWith("HTTP/1.1 200"));
    const auto other = test::free_port();
    const auto connects = [](std::uint16_t port) {
        try {
            const test::raw_client probe(port);
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    };
    with.gateway.replace_routes(
        test::routes_for(with.origin.port()) +
        test::https_listener(other, {with.two}, "version_min: TLS_VERSION_1_3"));
    while (!connects(other) || connects(with.port)) {}
    CHECK_THAT(ask(kept), StartsWith("HTTP/1.1 200")); // what is open stays
    tls_peer_client newer(with.trusting());
    tls_connection there(newer, other);
    CHECK_THAT(ask(there), StartsWith("HTTP/1.1 200"));
    CHECK(newer.certificate_name() == "two.example");
    auto old = with.trusting();
    old.version_max = 0x0303;
    tls_peer_client older(old);
    CHECK_FALSE(tls_connection(older, other).secured());
    // Settings of TLS change, too.
    with.gateway.replace_routes(test::routes_for(with.origin.port()) +
                                test::https_listener(other, {with.two}));
    while (!tls_connection(older, other).secured()) {}
    CHECK_THAT(ask(there), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("everything wrong with listeners is said at once", "[gateway][tls]") {
    const test::certificate_folder folder;
    test::certificate_authority authority(folder, "authority");
    const auto one = authority.issue("one", {.dns_names = {"one.example"}});
    const auto two = authority.issue("two", {.dns_names = {"two.example"}});
    const auto old = authority.issue(
        "old", {.dns_names = {"old.example"}, .valid_to = -std::chrono::seconds(60)});
    const auto file = folder.write(
        "routes",
        test::routes_for(1) +
            test::https_listener(443, {{one.chain_file, two.key_file}, old},
                                 "alpn: \"spdy\" proxy_protocol: PROXY_PROTOCOL_REQUIRED") +
            test::https_listener(444, {}) + R"(
listener { address: "8443" protocol: PROTOCOL_HTTP redirect { to_host: "Shop" status: 302 }
           certificate { chain_file: "a" key_file: "b" } }
listener { address: "[::]:80" strict_transport_security { max_age_s: 1 preload: true } }
upstream { name: "safe" url_variable: "RELAIS_SAFE_URL" default_url: "https://127.0.0.1:1"
           tls { ca_file: "/nowhere/ca.pem" } }
)");
    const auto said = check_config(file);
    for (const std::string each :
         {"one.pem", "old.pem", "\"spdy\" is not spoken here", "trusts nobody",
          "none is configured", "address is host:port", "\"Shop\" is not a host",
          "status is 301 or 308", "goes with PROTOCOL_HTTPS", "protocol is PROTOCOL_HTTP",
          "preload needs", "admin_port_offset is missing", "/nowhere/ca.pem"}) {
        CHECK_THAT(said, ContainsSubstring(each));
    }
    CHECK_THAT(check_config(folder.write("good", test::routes_for(1) +
                                                     test::https_listener(443, {one, two}))),
               StartsWith("configuration: ok"));
}
