#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"
#include "support/tls_origin.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::certificate_pair;
using test::gateway_process;
using test::raw_client;
using test::request_text;

namespace {

struct parties {
    test::certificate_folder folder;
    test::certificate_authority services{folder, "services"};
    test::certificate_authority clients{folder, "clients"};
    certificate_pair own = services.issue("service", {.dns_names = {"localhost", "odd.example"}});
    certificate_pair ours = clients.issue("gateway", {.common_name = "gateway"});
    test::origin_server web_api;

    /// /odd goes to this service through TLS.
    std::string routes(const test::tls_origin& to, const std::string& tls) const {
        const auto offset = static_cast<std::uint16_t>(web_api.port() - to.port());
        return test::routes_for(web_api.port()) + fmt::format(R"(
upstream {{ name: "odd" url_variable: "RELAIS_ODD_URL" default_url: "https://127.0.0.1:{}"
           admin_port_offset: {} tls {{ {} }} }}
route {{ prefix: "/odd" upstream: "odd" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 1500 body_max_bytes: 1000 }}
)",
                                                              to.port(), offset, tls);
    }

    std::string trusting(const std::string& name = "odd.example") const {
        return fmt::format("ca_file: \"{}\" server_name: \"{}\" ", services.ca_file(), name);
    }

    std::string showing(const certificate_pair& what) const {
        return fmt::format("certificate {{ chain_file: \"{}\" key_file: \"{}\" }}", what.chain_file,
                           what.key_file);
    }
};

std::string ask(const gateway_process& gateway) {
    raw_client client(gateway.port());
    client.send(request_text("GET", "/odd/x"));
    return client.read_answer();
}

} // namespace

TEST_CASE("a service is reached through TLS, with our certificate, and connections are kept",
          "[gateway][tls]") {
    const parties with;
    const test::tls_origin origin(with.own, with.clients.ca_file());
    const gateway_process gateway(with.routes(origin, with.trusting() + with.showing(with.ours)),
                                  {{"RELAIS_LOOPS", "1"}});
    for (int i = 0; i < 3; ++i) {
        CHECK_THAT(ask(gateway),
                   StartsWith("HTTP/1.1 200") && ContainsSubstring("client CN=gateway"));
    }
    CHECK(origin.connections() == 1);
}

TEST_CASE("a service that does not prove who it is gets nothing", "[gateway][tls]") {
    const parties with;
    const test::tls_origin origin(with.own, with.clients.ca_file());
    const auto check = [&](const std::string& tls, const std::string& reason) {
        const gateway_process gateway(with.routes(origin, tls));
        CHECK_THAT(ask(gateway),
                   StartsWith("HTTP/1.1 503") && ContainsSubstring("no-healthy-upstream"));
        CHECK(gateway.wait_for_log("upstream.handshake_failed"));
        CHECK(gateway.wait_for_log("\"reason\":\"" + reason + "\""));
    };
    SECTION("another authority") {
        check(fmt::format("ca_file: \"{}\" server_name: \"odd.example\"", with.clients.ca_file()),
              "certificate_refused");
    }
    SECTION("another name") {
        check(with.trusting("even.example"), "certificate_refused");
    }
    SECTION("the system's authorities") {
        check("server_name: \"odd.example\"", "certificate_refused");
    }
}

TEST_CASE("a service that asks for a certificate we do not have refuses us", "[gateway][tls]") {
    const parties with;
    const test::tls_origin origin(with.own, with.clients.ca_file());
    const gateway_process gateway(with.routes(origin, with.trusting()));
    // TLS 1.3: its refusal comes when the handshake is over for us.
    CHECK_THAT(ask(gateway), StartsWith("HTTP/1.1 50"));
    CHECK(origin.connections() == 0);
}

TEST_CASE("our certificate for a service changes without a restart", "[gateway][tls]") {
    parties with;
    const test::tls_origin origin(with.own, with.clients.ca_file());
    const gateway_process gateway(with.routes(origin, with.trusting() + with.showing(with.ours)));
    CHECK_THAT(ask(gateway), ContainsSubstring("client CN=gateway"));
    with.clients.issue("gateway", {.common_name = "successor"});
    // Connections that are open stay as they are.
    const std::string series =
        R"(gateway_upstream_certificate_reloads_total{result="accepted",upstream="odd"} 1)";
    while (gateway.admin("/metrics").find(series) == std::string::npos) {}
    gateway.replace_routes(
        with.routes(origin, with.trusting("localhost") + with.showing(with.ours)));
    while (ask(gateway).find("client CN=successor") == std::string::npos) {}
}
