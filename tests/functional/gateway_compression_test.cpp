#include "support/answering_server.hpp"
#include "support/decoded.hpp"
#include "support/gateway_process.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <future>
#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::request_text;

namespace {

std::string routes(std::uint16_t origin) {
    return fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 compression: "texts" }}
compression {{ name: "texts" }}
)",
                       origin);
}

std::string page() {
    std::string out;
    for (int i = 0; out.size() < 300'000; ++i) {
        out += fmt::format("<p>paragraph {} of many</p>\n", i * 7919 % 1000);
    }
    return out;
}

/// Answers everything with these fields and this body.
struct rig {
    test::answering_server origin;
    test::gateway_process gateway;

    rig(const std::string& fields, const std::string& body, const std::string& status = "200 OK")
        : origin([=](const std::string& request, const auto& out) {
              const auto text = test::answer_text(fields, body, status);
              out(request.starts_with("HEAD") ? text.substr(0, text.size() - body.size()) : text);
          }),
          gateway(routes(origin.port())) {}

    std::string ask(const std::string& fields, const std::string& method = "GET") {
        test::raw_client client(gateway.port());
        client.send(request_text(method, "/v1/x", fields));
        return client.read_answer(method == "HEAD");
    }
};

/// The service goes on when it opens, at the latest when the test ends.
class gate {
public:
    explicit gate(std::promise<void>& opened) : opened_(opened) {}

    ~gate() {
        open();
    }

    void open() {
        if (!open_) {
            open_ = true;
            opened_.set_value();
        }
    }

private:
    std::promise<void>& opened_;
    bool open_ = false;
};

constexpr const char* html = "Content-Type: text/html\r\nETag: \"v1\"\r\n";
constexpr const char* all_codings = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

} // namespace

TEST_CASE("answers come compressed as the client likes it, bit by bit the same", "[gateway]") {
    const std::string content = page();
    rig with(html, content);
    for (const std::string name : {"gzip", "br", "zstd"}) {
        const auto answer = with.ask("Accept-Encoding: " + name + "\r\n");
        REQUIRE_THAT(answer, StartsWith("HTTP/1.1 200"));
        CHECK(test::field_of(answer, "Content-Encoding") == name);
        CHECK(test::field_of(answer, "Vary") == "Accept-Encoding");
        CHECK(test::field_of(answer, "ETag") == "W/\"v1\"");
        CHECK(test::field_of(answer, "Content-Length").empty());
        const auto body = test::body_of(answer);
        CHECK(body.size() < content.size() / 4);
        CHECK(test::decoded(name, body) == content);
    }
    const auto plain = with.ask("Accept-Encoding: gzip;q=0\r\n");
    CHECK(test::field_of(plain, "Content-Encoding").empty());
    CHECK(test::field_of(plain, "Vary") == "Accept-Encoding");
    CHECK(test::field_of(plain, "ETag") == "\"v1\"");
    CHECK(test::body_of(plain) == content);
    const auto head = with.ask(all_codings, "HEAD");
    CHECK_THAT(head, ContainsSubstring("Vary: Accept-Encoding\r\n") &&
                         ContainsSubstring("ETag: W/\"v1\"\r\n") &&
                         !ContainsSubstring("Content-Length"));
}

TEST_CASE("what is not to be compressed goes as it is", "[gateway]") {
    struct row {
        const char* fields;
        std::size_t size;
        const char* status;
    };

    const auto each =
        GENERATE(row{"Content-Type: image/png\r\n", 5'000, "200 OK"},
                 row{"Content-Type: text/event-stream\r\n", 5'000, "200 OK"},
                 row{"Content-Type: text/html\r\n", 100, "200 OK"},
                 row{"Content-Type: text/html\r\nContent-Encoding: br\r\n", 5'000, "200 OK"},
                 row{"Content-Type: text/html\r\nCache-Control: no-transform\r\n", 5'000, "200 OK"},
                 row{"Content-Type: text/html\r\nContent-Range: bytes 0-4999/9000\r\n", 5'000,
                     "206 Partial Content"});
    CAPTURE(each.fields);
    const std::string content(each.size, 'x');
    rig with(each.fields, content, each.status);
    const auto answer = with.ask(all_codings);
    CHECK(test::field_of(answer, "Content-Length") == std::to_string(each.size));
    CHECK_THAT(answer, !ContainsSubstring("zstd") && !ContainsSubstring("Vary"));
    CHECK(test::body_of(answer) == content);
}

TEST_CASE("where the service pauses the client has all that was said", "[gateway]") {
    const auto name = GENERATE(std::string("gzip"), std::string("br"), std::string("zstd"));
    std::promise<void> opened;
    const auto allowed = opened.get_future().share();
    test::answering_server origin([allowed](const std::string&, const auto& out) {
        out("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\nfirst\n\r\n");
        allowed.wait();
        out("7\r\nsecond\n\r\n0\r\n\r\n");
    });
    gate go_on(opened); // ends before the service
    test::gateway_process gateway(routes(origin.port()));
    test::raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/x", "Accept-Encoding: " + name + "\r\n"));
    std::string got;
    while (test::decoded_beginning(name, test::body_of(got + "0\r\n\r\n")) != "first\n") {
        const auto more = client.read_part();
        REQUIRE_FALSE(more.empty());
        got += more;
    }
    go_on.open();
    while (!got.ends_with("\r\n0\r\n\r\n")) {
        const auto more = client.read_part();
        REQUIRE_FALSE(more.empty());
        got += more;
    }
    CHECK(test::decoded(name, test::body_of(got)) == "first\nsecond\n");
}

TEST_CASE("events are passed on as they come", "[gateway]") {
    std::promise<void> opened;
    const auto allowed = opened.get_future().share();
    test::answering_server origin([allowed](const std::string&, const auto& out) {
        out("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
        allowed.wait();
        out("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    });
    gate go_on(opened); // ends before the service
    test::gateway_process gateway(routes(origin.port()));
    test::raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/x", all_codings));
    std::string got;
    while (got.find("data: 1\n\n") == std::string::npos) {
        const auto more = client.read_part();
        REQUIRE_FALSE(more.empty());
        got += more;
    }
    CHECK_THAT(got, !ContainsSubstring("Content-Encoding") && !ContainsSubstring("Vary"));
    go_on.open();
    while (!got.ends_with("data: 2\n\n\r\n0\r\n\r\n")) {
        const auto more = client.read_part();
        REQUIRE_FALSE(more.empty());
        got += more;
    }
}

TEST_CASE("a slow client of a large compressed answer costs little memory", "[gateway]") {
    std::string piece(1'000'000, '\0');
    unsigned state = 1;
    for (auto& byte : piece) { // does not compress
        byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    }
    test::answering_server origin([&piece](const std::string&, const auto& out) {
        out("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000000\r\n\r\n");
        for (int i = 0; i < 100 && out(piece); ++i) {}
    });
    test::gateway_process gateway(routes(origin.port()), {{"RELAIS_LOOPS", "1"}});
    const auto before = gateway.peak_memory_bytes();
    test::raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/x", "Accept-Encoding: zstd\r\n"));
    std::size_t got = client.read_part().size();
    REQUIRE(got > 0);
    test::raw_client other(gateway.port()); // is served meanwhile
    other.send(request_text("GET", "/nothing"));
    CHECK_THAT(other.read_answer(), StartsWith("HTTP/1.1 404"));
    while (got < 100'000'000) {
        const auto more = client.read_part();
        REQUIRE_FALSE(more.empty());
        got += more.size();
    }
    CHECK(gateway.peak_memory_bytes() - before < 30'000'000);
}
