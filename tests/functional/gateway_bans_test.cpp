#include "events/topics.hpp"
#include "support/environment.hpp"
#include "support/gateway_process.hpp"
#include "support/kafka_topics.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <poll.h>
#include <sys/wait.h>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

/// The gateway and relaisctl use the suite's own topic; on a fresh broker it is made here.
void make_topic() {
    kafka::admin admin(test::kafka_topics::brokers(), "test", 10s);
    const auto made = admin.create({"edge.ban.events.v1", 1, 1, kafka::broker_times()});
    REQUIRE((made || made.error().slug == "topic-exists"));
}

std::string relaisctl(const std::string& arguments, int expected = 0) {
    const auto line = fmt::format("RELAIS_KAFKA_BROKERS={} USER=tester {}/bin/relaisctl {} 2>&1",
                                  test::kafka_topics::brokers(), test::build_dir(), arguments);
    std::FILE* from = popen(line.c_str(), "r");
    REQUIRE(from != nullptr);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), from)) {
        text.append(buffer.data(), size);
    }
    INFO(text);
    CHECK(WEXITSTATUS(pclose(from)) == expected);
    return text;
}

/// Clients are told apart by what a trusted proxy says.
std::string routes(std::uint16_t origin) {
    return test::routes_for(origin) + R"(
client_address { trusted: "127.0.0.0/8" source: ADDRESS_SOURCE_X_FORWARDED_FOR })";
}

struct instance {
    gateway_process gateway;

    explicit instance(std::uint16_t origin)
        : gateway(routes(origin), {{"RELAIS_KAFKA_BROKERS", test::kafka_topics::brokers()},
                                   {"RELAIS_BANS_WAIT", "20000"}}) {}

    std::string status_for(const std::string& address) const {
        raw_client client(gateway.port());
        client.send(request_text("GET", "/v1/echo", "X-Forwarded-For: " + address + "\r\n"));
        return client.read_answer().substr(9, 3);
    }

    /// How long it took until this client gets that status.
    std::chrono::milliseconds until(const std::string& status, const std::string& address) const {
        const auto began = std::chrono::steady_clock::now();
        while (status_for(address) != status && std::chrono::steady_clock::now() - began < 10s) {
            ::poll(nullptr, 0, 5);
        }
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - began);
    }
};

/// Networks for documentation (RFC 5737, RFC 3849), a part of each for this run.
std::string own_address() {
    return fmt::format("2001:db8:{:x}::", ::getpid() & 0xffff);
}

} // namespace

TEST_CASE("a ban reaches every instance at once, also one that starts later", "[gateway][kafka]") {
    make_topic();
    const origin_server origin;
    const instance one(origin.port());
    const instance two(origin.port());
    const auto network = own_address() + "/48";
    const auto client = own_address() + "7";
    REQUIRE(one.status_for(client) == "200");
    REQUIRE(two.status_for(client) == "200");

    CHECK_THAT(relaisctl("bans add " + network + " --for 1h --reason 'too many logins' --by ann"),
               ContainsSubstring(network + " is banned until "));
    CHECK(one.until("403", client) < 1s); // of the moment when the broker had it
    CHECK(two.until("403", client) < 1s);
    CHECK_THAT(relaisctl("bans list"),
               ContainsSubstring(network) && ContainsSubstring("by ann: too many logins"));
    CHECK_THAT(relaisctl("bans list --json"),
               ContainsSubstring("\"prefix\":\"" + network + "\",\"reason\":\"too many logins\""));

    const instance three(origin.port());
    CHECK(three.status_for(client) == "403"); // from its first request on
    raw_client refused(three.gateway.port());
    refused.send(request_text("GET", "/v1/echo", "X-Forwarded-For: " + client + "\r\n"));
    CHECK_THAT(refused.read_answer(), StartsWith("HTTP/1.1 403") &&
                                          ContainsSubstring("problems/banned") &&
                                          !ContainsSubstring("logins"));
    const auto metrics = three.gateway.admin("/metrics");
    CHECK_THAT(metrics, ContainsSubstring("gateway_bans_in_force ") &&
                            ContainsSubstring("gateway_errors_total{") &&
                            ContainsSubstring("reason=\"banned\""));

    CHECK_THAT(relaisctl("bans lift " + network + " --reason sorry"),
               ContainsSubstring("is not banned any more"));
    CHECK(one.until("200", client) < 1s);
    CHECK(three.until("200", client) < 1s);
    CHECK_THAT(relaisctl("bans lift " + network, 1), ContainsSubstring("no-such-ban"));
}

TEST_CASE("a ban ends by itself", "[gateway][kafka]") {
    make_topic();
    const origin_server origin;
    const instance one(origin.port());
    const auto client = own_address() + "9";
    relaisctl("bans add " + client + " --for 3s --reason short");
    CHECK(one.until("403", client) < 1s);
    const auto lasted = one.until("200", client);
    CHECK(lasted > 500ms);
    CHECK(lasted < 5s);
    CHECK_THAT(relaisctl("bans list"), !ContainsSubstring(client));
}

TEST_CASE("a ban without a reason, an end or an address is refused", "[ctl][kafka]") {
    CHECK_THAT(relaisctl("bans add 192.0.2.1 --for 1h", 2), ContainsSubstring("--reason"));
    CHECK_THAT(relaisctl("bans add 192.0.2.1 --reason x", 2), ContainsSubstring("--for"));
    CHECK_THAT(relaisctl("bans add 192.0.2.0/7 --for 1h --reason x", 2),
               ContainsSubstring("bits behind"));
    CHECK_THAT(relaisctl("bans", 2), ContainsSubstring("usage: relaisctl bans"));
}
