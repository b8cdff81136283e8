#include "support/environment.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <poll.h>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

/// The writer of records comes by every 50 ms.
std::string asked(const gateway_process& gateway, const std::string& id) {
    std::string answer;
    for (int i = 0; i < 500 && !answer.starts_with("HTTP/1.1 200"); ++i) {
        answer = gateway.admin("/requests/" + id);
        ::poll(nullptr, 0, 10);
    }
    return answer;
}

std::string until(const gateway_process& gateway, const std::string& part) {
    std::string answer;
    for (int i = 0; i < 500 && answer.find(part) == std::string::npos; ++i) {
        answer = gateway.admin("/live.json");
        ::poll(nullptr, 0, 10);
    }
    return answer;
}

std::string relaisctl(const gateway_process& gateway, const std::string& words) {
    const auto line = fmt::format("{}/bin/relaisctl gateway {} --admin http://127.0.0.1:{} 2>&1",
                                  test::build_dir(), words, gateway.admin_port());
    std::FILE* from = popen(line.c_str(), "r");
    REQUIRE(from != nullptr);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), from)) {
        text.append(buffer.data(), size);
    }
    pclose(from);
    return text;
}

} // namespace

TEST_CASE("why a request was refused or routed is told by its id", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/echo",
                             "X-Request-Id: went-well\r\nAuthorization: Bearer good\r\n"));
    REQUIRE_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    client.send(request_text("PUT", "/v1/echo/small",
                             "X-Request-Id: too-large\r\nContent-Length: 5000\r\n"));
    REQUIRE_THAT(client.read_answer(), StartsWith("HTTP/1.1 413"));

    const auto well = asked(gateway, "went-well");
    CHECK_THAT(well, ContainsSubstring("\"identity\":\"account\"") &&
                         ContainsSubstring(fmt::format("It went to 127.0.0.1:{}", origin.port())) &&
                         ContainsSubstring("The route /v1 matched: it leads to web-api.") &&
                         ContainsSubstring("\"phases_ms\":{\"queue\":"));
    const auto refused = asked(gateway, "too-large");
    CHECK_THAT(refused, ContainsSubstring("\"reason\":\"body_too_large\"") &&
                            ContainsSubstring("\"detail\":\"at most 1000 bytes\"") &&
                            ContainsSubstring("\"next_step\":\"Raise body_max_bytes"));
    CHECK_THAT(gateway.admin("/requests/nobody"),
               StartsWith("HTTP/1.1 404") && ContainsSubstring("problems/unknown-request"));
    const auto said = relaisctl(gateway, "why too-large");
    CHECK_THAT(said,
               ContainsSubstring("  - The body had more bytes than the route allows. (at most "
                                 "1000 bytes)\n") &&
                   ContainsSubstring("  - Next: Raise body_max_bytes"));
    CHECK_THAT(relaisctl(gateway, "why nobody"), ContainsSubstring("unknown-request"));
    CHECK_THAT(until(gateway, "too-large"),
               ContainsSubstring("\"failures\":[{\"request_id\":\"too-large\""));
}

TEST_CASE("the live view shows an upload on its way, and its end", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: the-upload\r\n"
                "Content-Length: 200000\r\n\r\n" +
                std::string(50'000, 'x'));
    const auto seen = until(gateway, "\"bytes\":50000,\"size\":200000");
    CHECK_THAT(seen,
               StartsWith("HTTP/1.1 200") &&
                   ContainsSubstring("\"uploads\":{\"count\":1,\"bytes_left\":150000") &&
                   ContainsSubstring("\"request_id\":\"the-upload\"") &&
                   ContainsSubstring(fmt::format("\"instance\":\"127.0.0.1:{}\"", origin.port())) &&
                   ContainsSubstring("\"draining\":false") &&
                   ContainsSubstring("\"services\":[{\"name\":\"web-api\"") &&
                   ContainsSubstring("\"ready\":true"));
    client.send(std::string(150'000, 'x'));
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    const auto after = until(gateway, "\"uploads\":{\"count\":0,");
    CHECK_THAT(after, ContainsSubstring("\"uploads\":{\"count\":0,\"bytes_left\":0") &&
                          ContainsSubstring("{\"route\":\"/v1\",\"requests\":1,"));
}

TEST_CASE("the live view is a page and a stream without anything from elsewhere", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    const auto page = gateway.admin("/live");
    CHECK_THAT(page, StartsWith("HTTP/1.1 200") && ContainsSubstring("<!doctype html>") &&
                         ContainsSubstring("Content-Security-Policy: default-src 'none'") &&
                         !ContainsSubstring("http://") && !ContainsSubstring("https://"));
    CHECK_THAT(gateway.admin("/live.css"), ContainsSubstring("Content-Type: text/css"));
    CHECK_THAT(gateway.admin("/live.js"), ContainsSubstring("EventSource"));

    raw_client viewer(gateway.admin_port());
    viewer.send(request_text("GET", "/live/events"));
    std::string stream;
    gateway.terminate(); // ends the stream, which is endless
    stream = viewer.read_all();
    CHECK_THAT(stream, StartsWith("HTTP/1.1 200") &&
                           ContainsSubstring("Content-Type: text/event-stream") &&
                           !ContainsSubstring("Content-Length") &&
                           ContainsSubstring("event: view\ndata: {\"instance\":"));
    const int code = gateway.wait();
    INFO(gateway.log());
    CHECK(code == 0);
}
