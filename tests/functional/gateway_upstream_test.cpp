#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <map>
#include <poll.h>
#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::raw_server;
using test::request_text;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// The service serves one connection at a time.
const std::map<std::string, std::string> one_loop{{"RELAIS_LOOPS", "1"}};

/// A gateway before a service that does exactly what the test says.
struct rig {
    explicit rig(std::function<raw_server::step(int)> script)
        : odd(std::move(script)), gateway(test::routes_for(origin.port(), odd.port()), one_loop),
          client(gateway.port()) {}

    std::string ask(const std::string& method, const std::string& body = "") {
        client.send(request_text(method, "/odd", "", body));
        return client.read_answer();
    }

    origin_server origin;
    raw_server odd;
    gateway_process gateway;
    raw_client client;
};

/// The second request on a kept connection is read and answered with a reset.
raw_server::step reset_the_second(int number) {
    return number == 2 ? raw_server::step{"", false, true} : raw_server::step{ok};
}

} // namespace

TEST_CASE("connections to a service are kept", "[gateway]") {
    rig with([](int) { return raw_server::step{ok}; });
    for (int i = 0; i < 5; ++i) {
        CHECK_THAT(with.ask("POST", "x"), StartsWith("HTTP/1.1 200"));
    }
    CHECK(with.odd.connections() == 1);
}

TEST_CASE("a request is sent again only when that is safe", "[gateway]") {
    rig with(reset_the_second);
    CHECK_THAT(with.ask("GET"), StartsWith("HTTP/1.1 200"));
    SECTION("idempotent, without a body, no byte of an answer") {
        CHECK_THAT(with.ask("GET"), StartsWith("HTTP/1.1 200"));
        CHECK(with.odd.requests() == 3);
    }
    SECTION("not a POST") {
        CHECK_THAT(with.ask("POST", "x"),
                   StartsWith("HTTP/1.1 502") && ContainsSubstring("problems/bad-gateway"));
        CHECK(with.odd.requests() == 2);
        CHECK(with.gateway.wait_for_log(R"("error_reason":"upstream_reset")"));
        CHECK(with.gateway.wait_for_log(R"("code":"H13")"));
    }
    SECTION("not a body that is spent") {
        CHECK_THAT(with.ask("PUT", "x"), StartsWith("HTTP/1.1 502"));
        CHECK(with.odd.requests() == 2);
    }
}

TEST_CASE("an answer of doubtful framing is a 502", "[gateway]") {
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nhi",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
          "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
          "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
          "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "SSH-2.0-x\r\n"}) {
        INFO(answer);
        rig with([answer](int) { return raw_server::step{answer}; });
        CHECK_THAT(with.ask("GET"), StartsWith("HTTP/1.1 502"));
        CHECK(with.gateway.wait_for_log(R"("error_reason":"upstream_protocol_error")"));
    }
}

TEST_CASE("an answer that breaks off is not passed off as whole", "[gateway]") {
    rig with([](int) {
        return raw_server::step{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi", true};
    });
    with.client.send(request_text("GET", "/odd"));
    const auto answer = with.client.read_all();
    CHECK_THAT(answer,
               ContainsSubstring("Content-Length: 10\r\n") && Catch::Matchers::EndsWith("hi"));

    rig chunked([](int) {
        return raw_server::step{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
                                true};
    });
    chunked.client.send(request_text("GET", "/odd"));
    CHECK_THAT(chunked.client.read_all(), !ContainsSubstring("0\r\n\r\n"));
}

TEST_CASE("bytes behind an answer never become another one", "[gateway]") {
    rig with([](int number) {
        return raw_server::step{
            number == 1 ? ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : ok};
    });
    CHECK_THAT(with.ask("GET"), Catch::Matchers::EndsWith("\r\n\r\nhi"));
    CHECK_THAT(with.ask("GET"), Catch::Matchers::EndsWith("\r\n\r\nhi"));
    CHECK(with.odd.connections() == 2);
}

TEST_CASE("an answer until the end of the connection becomes chunks", "[gateway]") {
    rig with([](int) { return raw_server::step{"HTTP/1.0 200 OK\r\n\r\nall of it", true}; });
    CHECK_THAT(with.ask("GET"), ContainsSubstring("Transfer-Encoding: chunked\r\n") &&
                                    ContainsSubstring("\r\n9\r\nall of it\r\n0\r\n\r\n"));
}

TEST_CASE("a field that Connection names in an answer stays on its hop", "[gateway]") {
    rig with([](int) {
        return raw_server::step{"HTTP/1.1 200 OK\r\nConnection: x-inner\r\nX-Inner: 1\r\n"
                                "X-Relais-Thing: 1\r\nX-Outer: 1\r\nContent-Length: 0\r\n\r\n"};
    });
    CHECK_THAT(with.ask("GET"), ContainsSubstring("X-Outer") && !ContainsSubstring("X-Inner") &&
                                    !ContainsSubstring("X-Relais-Thing") &&
                                    ContainsSubstring("Date: "));
}

TEST_CASE("a service that does not answer is a 504, one that is away a 503", "[gateway]") {
    rig silent([](int) { return raw_server::step{}; });
    CHECK_THAT(silent.ask("GET"),
               StartsWith("HTTP/1.1 504") && ContainsSubstring("application/problem+json"));
    CHECK(silent.gateway.wait_for_log(R"("code":"H12")"));

    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port(), 1));
    raw_client client(gateway.port());
    client.send(request_text("GET", "/odd"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 503") && ContainsSubstring("Retry-After: 1\r\n"));
}

TEST_CASE("a service that answers early is heard", "[gateway]") {
    // It refuses after the head, without reading the body, and closes.
    rig with([](int) {
        return raw_server::step{"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", true};
    });
    with.client.send("POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (int i = 0; i < 100 && with.client.send(chunk); ++i) {}
    CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 413"));
}

// A list provider drops an opt-out that is answered with a 5xx, and repeats after a 429.
TEST_CASE("failures of a service are 429 where the sender gives up otherwise", "[gateway]") {
    const auto answer_of = [](raw_server::step does) {
        rig with([does](int) { return does; });
        with.client.send(request_text("POST", "/odd/hook", "", "x"));
        return with.client.read_answer();
    };
    const auto come_again = [](const std::string& answer) {
        return answer.starts_with("HTTP/1.1 429") && answer.contains("Retry-After: 10\r\n");
    };
    CHECK(come_again(answer_of({"HTTP/1.1 503 Away\r\nContent-Length: 2\r\n\r\nno"})));
    CHECK(come_again(answer_of({"HTTP/1.1 500 Bug\r\nContent-Length: 0\r\n\r\n"})));
    CHECK(come_again(answer_of({"", false, true}))); // reset
    CHECK(come_again(answer_of({})));                // never answers
    CHECK_THAT(answer_of({"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"}),
               StartsWith("HTTP/1.1 400"));
    CHECK_THAT(answer_of({ok}), StartsWith("HTTP/1.1 200"));

    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port(), 1)); // nobody listens there
    raw_client client(gateway.port());
    client.send(request_text("POST", "/odd/hook", "", "x"));
    CHECK(come_again(client.read_answer()));
}

TEST_CASE("early hints go on to the client, but not to one that speaks HTTP/1.0", "[gateway]") {
    rig with([](int) {
        return raw_server::step{"HTTP/1.1 100 Continue\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nTE: x\r\n\r\n" +
                                ok};
    });
    with.client.send(request_text("GET", "/odd"));
    CHECK(with.client.read_answer() == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
    raw_client old(with.gateway.port());
    old.send("GET /odd HTTP/1.0\r\n\r\n");
    CHECK_THAT(old.read_answer(), StartsWith("HTTP/1.1 200"));
}

namespace {

const std::string switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\n";
const std::string asks_for_websocket = request_text(
    "GET", "/odd/ws",
    "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n");

} // namespace

TEST_CASE("a WebSocket goes through, whole in both directions", "[gateway]") {
    // What comes through the tunnel looks like a request to this server, which is all it knows.
    rig with([](int number) {
        return number == 1 ? raw_server::step{switching + "Sec-WebSocket-Accept: a\r\n\r\nhello"}
                           : raw_server::step{"bye", true};
    });
    with.client.send(asks_for_websocket);
    CHECK_THAT(with.client.read_answer(),
               StartsWith("HTTP/1.1 101 Switching Protocols\r\n") &&
                   ContainsSubstring("Connection: Upgrade\r\nUpgrade: websocket\r\n") &&
                   ContainsSubstring("Sec-WebSocket-Accept: a\r\n"));
    REQUIRE(with.client.send("GET raw bytes, none of them HTTP \n\r\n\r\n"));
    CHECK(with.client.read_all() == "hellobye");
    REQUIRE(with.odd.seen().size() == 2);
    CHECK_THAT(with.odd.seen()[0], ContainsSubstring("Connection: Upgrade\r\n") &&
                                       ContainsSubstring("Sec-WebSocket-Key: k\r\n"));
    CHECK(with.odd.seen()[1] == "GET raw bytes, none of them HTTP \n\r\n\r\n");
    CHECK(with.gateway.wait_for_log(R"("status":101)"));
}

TEST_CASE("a tunnel begins only after a matching 101", "[gateway]") {
    SECTION("another answer is an answer") {
        rig with([](int) { return raw_server::step{ok}; });
        with.client.send(asks_for_websocket + request_text("GET", "/odd"));
        CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
        CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
        CHECK_THAT(with.odd.seen().at(1), StartsWith("GET /odd HTTP/1.1\r\n"));
    }
    SECTION("a 101 to something else is none") {
        for (const std::string fields :
             {"Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n",
              "Connection: Upgrade\r\n",
              "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"}) {
            INFO(fields);
            rig with([&](int) {
                return raw_server::step{"HTTP/1.1 101 Switching\r\n" + fields + "\r\n"};
            });
            with.client.send(asks_for_websocket);
            CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 502"));
        }
    }
    SECTION("what the route does not allow is not offered to the service") {
        rig with([](int) { return raw_server::step{ok}; });
        for (const std::string target : {"/odd", "/odd/ws"}) {
            with.client.send(request_text("GET", target,
                                          "Connection: Upgrade, HTTP2-Settings\r\n"
                                          "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"));
            CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
            CHECK_THAT(with.odd.seen().back(),
                       !ContainsSubstring("pgrade") && !ContainsSubstring("HTTP2"));
        }
    }
}

TEST_CASE("a service that gives no usable answer is left alone for a while, then tried",
          "[gateway]") {
    std::atomic<bool> well{false};
    rig with([&](int) { return well ? raw_server::step{ok} : raw_server::step{"", false, true}; });
    for (int i = 0; i < 20; ++i) {
        CHECK_THAT(with.ask("GET"), StartsWith("HTTP/1.1 502"));
    }
    const auto refused = with.ask("GET");
    CHECK_THAT(refused, StartsWith("HTTP/1.1 503") && ContainsSubstring("circuit-open") &&
                            ContainsSubstring("Retry-After: "));
    CHECK(with.odd.requests() == 20);
    well = true;
    std::string last;
    for (int i = 0; i < 500 && !last.starts_with("HTTP/1.1 200"); ++i) {
        ::poll(nullptr, 0, 20);
        last = with.ask("GET");
    }
    CHECK_THAT(last, StartsWith("HTTP/1.1 200"));
    CHECK_THAT(with.ask("GET"), StartsWith("HTTP/1.1 200"));
}
