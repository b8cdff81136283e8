#include "support/http_server_rig.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::get;
using test::raw_client;
using test::running_server;

TEST_CASE("requests are answered in order on one connection", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/echo") +
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nHost: evil\r\n\r\n" +
                get("/nowhere"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 200 OK\r\n") && ContainsSubstring("\r\n\r\nGET /echo "));
    CHECK_THAT(client.read_answer(), ContainsSubstring("\r\n\r\nPOST /echo abcde"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 404") && ContainsSubstring("application/problem+json"));
    server.wait_for_active(0); // what is counted is counted after the answer
    CHECK_THAT(server.metrics(),
               ContainsSubstring("code=\"404\",method=\"GET\",route=\"other\"} 1"));
}

TEST_CASE("a head may come byte by byte", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    for (const char c : get("/echo")) {
        client.send({&c, 1});
    }
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("what is no request is answered once and the connection closed", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n" + get("/echo"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 400") && ContainsSubstring("Connection: close"));
    CHECK(client.read_all().empty());
}

TEST_CASE("a body over the limit is refused and the client sees why", "[http][server]") {
    running_server server;
    SECTION("before it is read, when Content-Length says so") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        client.send(std::string(100000, 'x'));
        CHECK_THAT(client.read_answer(),
                   StartsWith("HTTP/1.1 413") && ContainsSubstring("body-too-large"));
        CHECK(client.closed_by_peer());
    }
    SECTION("as soon as it is seen, when it is chunked") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                    std::string(1500, 'x'));
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 413"));
    }
}

TEST_CASE("100-continue is sent when the body is wanted, and only then", "[http][server]") {
    running_server server;
    raw_client wanted(server.port());
    wanted.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(wanted.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    wanted.send("hi");
    CHECK_THAT(wanted.read_answer(), ContainsSubstring("POST /echo hi"));

    raw_client unwanted(server.port());
    unwanted.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n");
    CHECK_THAT(unwanted.read_answer(), StartsWith("HTTP/1.1 413"));
}

TEST_CASE("a handler's exception is a 500 and the connection lives on", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/explode"));
    const auto answer = client.read_answer();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 500") && !ContainsSubstring("a bug"));
    client.send(get("/echo"));
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(server.metrics(), ContainsSubstring("http_server_handler_exceptions_total 1"));
}

TEST_CASE("the head has a deadline however it drips", "[http][server]") {
    http::server_settings settings;
    settings.header_timeout = 100ms;
    settings.body_timeout = 100ms;
    running_server server(settings);
    SECTION("head") {
        raw_client client(server.port());
        client.send("GET /echo HT");
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 408"));
    }
    SECTION("body") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 408"));
        CHECK(client.closed_by_peer());
    }
}

TEST_CASE("an idle connection is closed without a word", "[http][server]") {
    http::server_settings settings;
    settings.idle_timeout = 50ms;
    running_server server(settings);
    raw_client client(server.port());
    CHECK(client.read_all().empty());
}

TEST_CASE("request id and trace are taken over when valid", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/ids",
                    "X-Request-Id: abc-1\r\n"
                    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
    const auto answer = client.read_answer();
    CHECK_THAT(answer, ContainsSubstring("abc-1 4bf92f3577b34da6a3ce929d0e0e4736"));
    CHECK_THAT(answer, ContainsSubstring("x-request-id: abc-1\r\n"));
    client.send(get("/ids", "X-Request-Id: a b\r\ntraceparent: 00-zz\r\n"));
    CHECK_THAT(client.read_answer(), !ContainsSubstring("a b"));
}

TEST_CASE("methods, media types and access are checked before the handler", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    const auto ask = [&](std::string_view request, bool head_only = false) {
        client.send(request);
        return client.read_answer(head_only);
    };
    CHECK_THAT(ask("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
               StartsWith("HTTP/1.1 405") && ContainsSubstring("Allow: GET, POST, HEAD, OPTIONS"));
    CHECK_THAT(ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 204"));
    CHECK_THAT(ask("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n", true),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("Content-Length: 11\r\n"));
    CHECK_THAT(ask("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                   "Content-Length: 2\r\n\r\n{}"),
               StartsWith("HTTP/1.1 415"));
    CHECK_THAT(ask("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: Application/JSON; charset=utf-8"
                   "\r\nContent-Length: 2\r\n\r\n{}"),
               StartsWith("HTTP/1.1 200"));
    CHECK_THAT(ask(get("/mine")),
               StartsWith("HTTP/1.1 401") && ContainsSubstring("WWW-Authenticate: Bearer"));
    CHECK_THAT(ask(get("/inside")), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(ask(get("/inside", "X-Forwarded-For: 1.2.3.4\r\n")), StartsWith("HTTP/1.1 404"));
}
