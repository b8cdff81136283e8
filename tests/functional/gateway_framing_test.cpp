#include "support/gate_rows.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

/// The row's request, sent to a path that is routed, with a request behind it that must not be run.
std::string aimed(std::string request) {
    const auto at = request.find(" / ");
    if (at != std::string::npos) {
        request.replace(at, 3, " /v1/echo ");
    }
    return request + request_text("GET", "/v1/echo?smuggled");
}

bool is_one_answer(const std::string& bytes) {
    return bytes.find("HTTP/1.1 2", 1) == std::string::npos &&
           bytes.find("HTTP/1.1 4", 1) == std::string::npos;
}

} // namespace

TEST_CASE("nothing of a doubtful message reaches a service", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    for (const auto* table :
         {&test::gate::framing_rows, &test::gate::field_rows, &test::gate::start_rows}) {
        for (const auto& row : *table) {
            if (row.slug.empty()) {
                continue;
            }
            INFO(row.name);
            raw_client client(gateway.port());
            client.send(aimed(row.request));
            client.finish_sending();
            const auto answer = client.read_all();
            CHECK(answer.starts_with("HTTP/1.1 4"));
            CHECK(is_one_answer(answer));
            CHECK_THAT(answer, ContainsSubstring("Connection: close"));
        }
    }
    CHECK(origin.requests() == 0);
}

TEST_CASE("a bad chunk ends both connections", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    for (const char* body :
         {"0x3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
          "3;x=\"\n\"\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n",
          "3\r\nabc\r\n0\r\nX : y\r\n\r\n", "10000000000000003\r\nabc\r\n"}) {
        INFO(body);
        raw_client client(gateway.port());
        client.send(request_text("POST", "/v1/echo", "Transfer-Encoding: chunked\r\n") + body +
                    request_text("GET", "/v1/echo"));
        const auto answer = client.read_all();
        CHECK_THAT(answer, StartsWith("HTTP/1.1 400"));
        CHECK(is_one_answer(answer));
    }
    CHECK(origin.requests() == 0);
}

TEST_CASE("pipelined requests of every framing are answered in order", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send(request_text("POST", "/v1/echo?1", "", "abc") +
                request_text("POST", "/v1/echo?2", "Transfer-Encoding: chunked\r\n") +
                "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nHost: evil\r\n\r\n" +
                request_text("POST", "/v1/echo?3", "Content-Length: 0\r\n") + "\r\n" +
                request_text("GET", "/v1/echo?4"));
    CHECK_THAT(client.read_answer(), ContainsSubstring("echo?1\n") && ContainsSubstring("body 3 "));
    CHECK_THAT(client.read_answer(), ContainsSubstring("echo?2\n") && ContainsSubstring("body 4 "));
    CHECK_THAT(client.read_answer(), ContainsSubstring("echo?3\n") && ContainsSubstring("body 0 "));
    CHECK_THAT(client.read_answer(), ContainsSubstring("echo?4\n"));
}

TEST_CASE("an HTTP/1.0 client gets one answer and the end", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send("GET /v1/echo HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    CHECK_THAT(client.read_all(), StartsWith("HTTP/1.1 200") &&
                                      ContainsSubstring("Connection: close") &&
                                      ContainsSubstring("1.0 relais"));
}
