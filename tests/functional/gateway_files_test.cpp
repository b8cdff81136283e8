#include "support/answering_server.hpp"
#include "support/decoded.hpp"
#include "support/gateway_process.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::body_of;
using test::field_of;
using test::request_text;

namespace {

namespace fs = std::filesystem;

std::string large_content() {
    std::string out(3'000'000, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<char>(i * 7919 >> 8);
    }
    return out;
}

struct site {
    fs::path path;

    site() {
        std::string name = (fs::temp_directory_path() / "relais-site-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary folder");
        }
        path = name;
        fs::create_directories(path / "www/docs");
        write("secret", "secret");
        write("www/index.html", "<h1>home</h1>");
        write("www/docs/index.html", "docs");
        write("www/404.html", "not here");
        write("www/app.js", std::string(2'000, 'j'));
        write("www/app.js.gz", "gzipped");
        write("www/app.js.br", "brotlied");
        write("www/plain.css", std::string(2'000, 'c'));
        write("www/large.bin", large_content());
        write("www/empty.txt", "");
        fs::create_symlink("../secret", path / "www/link");
    }

    ~site() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }

    site(const site&) = delete;
    site& operator=(const site&) = delete;

    void write(const std::string& name, const std::string& content) const {
        std::ofstream(path / name) << content;
    }
};

struct rig {
    site files;
    test::answering_server origin{[](const std::string&, const auto& out) {
        out(test::answer_text("", "service"));
    }};
    test::gateway_process gateway{fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 }}
route {{ prefix: "/" static_root: "www" compression: "texts" response_headers: "secure" }}
static_root {{ name: "www" directory: "{}" not_found: "404.html"
              cache_control: "public, max-age=60" }}
compression {{ name: "texts" }}
response_headers {{ name: "secure" security_preset: true }}
)",
                                              origin.port(), (files.path / "www").string())};

    std::string ask(const std::string& target, const std::string& fields = "",
                    const std::string& method = "GET") {
        test::raw_client client(gateway.port());
        client.send(request_text(method, target, fields));
        return client.read_answer(method == "HEAD");
    }
};

} // namespace

TEST_CASE("a directory is served", "[gateway]") {
    rig with;
    const auto home = with.ask("/");
    CHECK_THAT(home, StartsWith("HTTP/1.1 200 OK\r\n"));
    CHECK(body_of(home) == "<h1>home</h1>");
    CHECK(field_of(home, "Content-Type") == "text/html; charset=utf-8");
    CHECK(field_of(home, "Content-Length") == "13");
    CHECK(field_of(home, "Cache-Control") == "public, max-age=60");
    CHECK(field_of(home, "Accept-Ranges") == "bytes");
    CHECK(field_of(home, "X-Content-Type-Options") == "nosniff");
    CHECK_FALSE(field_of(home, "Date").empty());
    CHECK(body_of(with.ask("/docs/")) == "docs");
    CHECK_THAT(with.ask("/docs?a=b"),
               StartsWith("HTTP/1.1 301") && ContainsSubstring("Location: /docs/?a=b\r\n"));
    CHECK(body_of(with.ask("/empty.txt")).empty());
    CHECK(body_of(with.ask("/v1/x")) == "service");
    CHECK_THAT(with.ask("/", "", "POST"),
               StartsWith("HTTP/1.1 405") && ContainsSubstring("Allow: GET, HEAD\r\n"));
    const auto head = with.ask("/app.js", "Accept-Encoding: br\r\n", "HEAD");
    CHECK_THAT(head, StartsWith("HTTP/1.1 200") && ContainsSubstring("Content-Length: 8\r\n") &&
                         ContainsSubstring("Content-Encoding: br\r\n"));
    const auto missing = with.ask("/nothing.html");
    CHECK_THAT(missing, StartsWith("HTTP/1.1 404") && !ContainsSubstring("ETag"));
    CHECK(body_of(missing) == "not here");
}

TEST_CASE("copies are validated, parts are given", "[gateway]") {
    rig with;
    const auto whole = with.ask("/large.bin");
    const auto content = large_content();
    REQUIRE(body_of(whole) == content);
    const auto etag = field_of(whole, "ETag");
    const auto modified = field_of(whole, "Last-Modified");
    REQUIRE_THAT(etag, StartsWith("\""));
    const auto same = with.ask("/large.bin", "If-None-Match: W/" + etag + "\r\n");
    CHECK_THAT(same, StartsWith("HTTP/1.1 304") && !ContainsSubstring("Content-Length"));
    CHECK(field_of(same, "ETag") == etag);
    CHECK_THAT(with.ask("/large.bin", "If-Modified-Since: " + modified + "\r\n"),
               StartsWith("HTTP/1.1 304"));
    CHECK_THAT(with.ask("/large.bin", "If-Match: \"other\"\r\n"), StartsWith("HTTP/1.1 412"));
    const auto part = with.ask("/large.bin", "Range: bytes=1000000-2999998\r\n");
    CHECK_THAT(part, StartsWith("HTTP/1.1 206"));
    CHECK(field_of(part, "Content-Range") == "bytes 1000000-2999998/3000000");
    CHECK(body_of(part) == content.substr(1'000'000, 1'999'999));
    const auto small = with.ask("/plain.css", "Range: bytes=-3\r\nIf-Range: \"x\"\r\n");
    CHECK_THAT(small, StartsWith("HTTP/1.1 200"));
    CHECK(body_of(with.ask("/plain.css", "Range: bytes=-3\r\n")) == "ccc");
    const auto beyond = with.ask("/large.bin", "Range: bytes=3000000-\r\n");
    CHECK_THAT(beyond, StartsWith("HTTP/1.1 416"));
    CHECK(field_of(beyond, "Content-Range") == "bytes */3000000");
    CHECK_THAT(with.ask("/large.bin", "Range: bytes=0-1,5-6\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("compressed forms are chosen, or made on the way", "[gateway]") {
    rig with;
    const auto brotli = with.ask("/app.js", "Accept-Encoding: gzip, br\r\n");
    CHECK(body_of(brotli) == "brotlied");
    CHECK(field_of(brotli, "Content-Encoding") == "br");
    CHECK(field_of(brotli, "Vary") == "Accept-Encoding");
    CHECK(field_of(brotli, "Content-Type") == "text/javascript; charset=utf-8");
    CHECK(body_of(with.ask("/app.js", "Accept-Encoding: gzip\r\n")) == "gzipped");
    const auto plain = with.ask("/app.js");
    CHECK(body_of(plain) == std::string(2'000, 'j'));
    CHECK(field_of(plain, "Vary") == "Accept-Encoding");
    CHECK(field_of(plain, "ETag") != field_of(brotli, "ETag"));
    const auto part = with.ask("/app.js", "Accept-Encoding: br\r\nRange: bytes=0-3\r\n");
    CHECK(body_of(part) == "brot");
    const auto made = with.ask("/plain.css", "Accept-Encoding: zstd\r\n");
    CHECK(test::decoded("zstd", body_of(made)) == std::string(2'000, 'c'));
    CHECK_THAT(field_of(made, "ETag"), StartsWith("W/"));
    CHECK_THAT(with.ask("/plain.css", "Accept-Encoding: zstd\r\nIf-None-Match: " +
                                          field_of(made, "ETag") + "\r\n"),
               StartsWith("HTTP/1.1 304") && ContainsSubstring("Vary: Accept-Encoding\r\n"));
}

TEST_CASE("nobody gets out of the directory", "[gateway]") {
    rig with;
    for (const char* target :
         {"/../secret", "/..%2fsecret", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/docs/../../secret",
          "/docs/%2e%2e/%2e%2e/secret", "/..%5csecret", "/link", "/%00", "/docs/%252e%252e/secret",
          "//../secret", "/./../secret", "/.%2e/secret", "/docs/..;/secret"}) {
        CAPTURE(target);
        const auto answer = with.ask(target);
        CHECK_THAT(answer, StartsWith("HTTP/1.1 4") && !ContainsSubstring("\r\n\r\nsecret"));
    }
}

TEST_CASE("a new release is served within seconds", "[gateway]") {
    rig with;
    CHECK(body_of(with.ask("/docs/")) == "docs");
    with.files.write("www/docs/new.html", "newer docs");
    fs::rename(with.files.path / "www/docs/new.html", with.files.path / "www/docs/index.html");
    while (body_of(with.ask("/docs/")) != "newer docs") {} // ends, or the test's time does
}
