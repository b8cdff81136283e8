#include "gateway/files/file_conditions.hpp"
#include "gateway/files/file_shelf.hpp"
#include "gateway/files/static_rules.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>

using namespace relais::gateway;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::sys_seconds modified{std::chrono::seconds(784111777)};
constexpr const char* modified_text = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* later = "Mon, 07 Nov 1994 08:49:37 GMT";

struct folder {
    fs::path path;

    folder() {
        std::string name = (fs::temp_directory_path() / "relais-files-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary folder");
        }
        path = name;
        fs::create_directories(path / "site/sub");
        write("secret", "secret");
        write("site/index.html", "root");
        write("site/sub/index.html", "sub");
        write("site/a b.txt", "blank");
        write("site/.env", "hidden");
        fs::create_directories(path / "site/.well-known");
        write("site/.well-known/x", "known");
        fs::create_symlink("../secret", path / "site/out");
        fs::create_symlink(path / "secret", path / "site/out-absolute");
        fs::create_symlink("index.html", path / "site/inside");
        fs::create_symlink("..", path / "site/up");
        ::mkfifo((path / "site/pipe").c_str(), 0600);
    }

    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    ~folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }

    void write(const std::string& name, const std::string& content) const {
        std::ofstream(path / (name + ".new")) << content;
        fs::rename(path / (name + ".new"), path / name);
    }

    static_rules rules() const {
        static_rules out;
        out.directory = (path / "site").string();
        out.prefix = "/";
        out.index = "index.html";
        return out;
    }
};

std::string content_of(const file_shelf::found& found) {
    if (found.what == nullptr) {
        return "nothing";
    }
    return found.what->what == shelf_file::kind::redirect ? "redirect"
                                                          : found.what->forms.front().content;
}

} // namespace

TEST_CASE("what a Range asks for", "[gateway]") {
    struct row {
        const char* value;
        std::optional<byte_range> part;
    };

    const auto each = GENERATE(
        row{"bytes=0-0", byte_range{0, 1}}, row{"bytes=0-9", byte_range{0, 10}},
        row{"Bytes= 5-", byte_range{5, 95}}, row{"bytes=90-1000", byte_range{90, 10}},
        row{"bytes=-10", byte_range{90, 10}}, row{"bytes=-1000", byte_range{0, 100}},
        row{"bytes=-0", byte_range{100, 0}}, row{"bytes=100-", byte_range{0, 0}},
        row{"bytes=99-", byte_range{99, 1}},
        row{"bytes=0-18446744073709551615", byte_range{0, 100}},
        row{"bytes=18446744073709551615-", byte_range{0, 0}}, row{"bytes=5-4", std::nullopt},
        row{"bytes=0-18446744073709551616", std::nullopt}, row{"bytes=0-1,5-6", std::nullopt},
        row{"bytes=", std::nullopt}, row{"bytes=-", std::nullopt}, row{"bytes=a-", std::nullopt},
        row{"bytes=+1-2", std::nullopt}, row{"bytes=0x1-2", std::nullopt},
        row{"bytes=1 - 2", std::nullopt}, row{"lines=0-1", std::nullopt}, row{"", std::nullopt});
    CAPTURE(each.value);
    CHECK(parse_range(each.value, 100) == each.part);
}

TEST_CASE("a range of nothing", "[gateway]") {
    CHECK(parse_range("bytes=0-", 0)->count == 0);
    CHECK(parse_range("bytes=-5", 0)->count == 0);
}

TEST_CASE("entity tags in lists", "[gateway]") {
    CHECK(matches_etag("*", "\"a\"", false));
    CHECK(matches_etag("\"x\", \"a\"", "\"a\"", false));
    CHECK(matches_etag("W/\"a\"", "\"a\"", true));
    CHECK_FALSE(matches_etag("W/\"a\"", "\"a\"", false));
    CHECK(matches_etag("\"b,c\",\"a\"", "\"a\"", false));
    CHECK_FALSE(matches_etag("\"ab\", a, \"", "\"a\"", true));
    CHECK_FALSE(matches_etag("", "\"a\"", true));
}

TEST_CASE("dates", "[gateway]") {
    CHECK(parse_http_date(modified_text) == modified);
    for (const char* wrong : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                              "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                              "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT"}) {
        CHECK_FALSE(parse_http_date(wrong));
    }
}

TEST_CASE("which answer conditions lead to", "[gateway]") {
    using enum file_outcome;

    struct row {
        file_conditions asked;
        file_outcome get;
        file_outcome head;
    };

    const auto each =
        GENERATE(row{{}, whole, whole}, row{{.if_none_match = "\"a\""}, not_modified, not_modified},
                 row{{.if_none_match = "W/\"a\""}, not_modified, not_modified},
                 row{{.if_none_match = "\"b\"", .if_modified_since = later}, whole, whole},
                 row{{.if_modified_since = modified_text}, not_modified, not_modified},
                 row{{.if_modified_since = earlier}, whole, whole},
                 row{{.if_modified_since = "yesterday"}, whole, whole},
                 row{{.if_match = "\"a\""}, whole, whole},
                 row{{.if_match = "\"b\""}, precondition_failed, precondition_failed},
                 row{{.if_match = "W/\"a\""}, precondition_failed, precondition_failed},
                 row{{.if_unmodified_since = earlier}, precondition_failed, precondition_failed},
                 row{{.if_unmodified_since = modified_text}, whole, whole},
                 row{{.range = "bytes=0-1"}, part, whole},
                 row{{.if_none_match = "\"a\"", .range = "bytes=0-1"}, not_modified, not_modified},
                 row{{.if_range = "\"a\"", .range = "bytes=0-1"}, part, whole},
                 row{{.if_range = "W/\"a\"", .range = "bytes=0-1"}, whole, whole},
                 row{{.if_range = "\"b\"", .range = "bytes=0-1"}, whole, whole},
                 row{{.if_range = modified_text, .range = "bytes=0-1"}, part, whole},
                 row{{.if_range = later, .range = "bytes=0-1"}, whole, whole},
                 row{{.range = "bytes=100-"}, unsatisfiable, whole},
                 row{{.range = "bytes=0-1,3-4"}, whole, whole});
    const file_state there{"\"a\"", modified, 100};
    CAPTURE(each.asked.if_none_match, each.asked.if_range, each.asked.range);
    CHECK(judge(each.asked, there, true).what == each.get);
    CHECK(judge(each.asked, there, false).what == each.head);
}

TEST_CASE("paths that may name a file", "[gateway]") {
    const std::string prefix = "/app";
    CHECK(path_below(prefix, "/app") == "");
    CHECK(path_below(prefix, "/app/") == "");
    CHECK(path_below(prefix, "/app/a/b.js") == "a/b.js");
    CHECK(path_below(prefix, "/app/a/") == "a");
    CHECK(path_below(prefix, "/app/a%20b%C3%A9") == "a b\xc3\xa9");
    CHECK(path_below(prefix, "/app/.well-known/x") == ".well-known/x");
    for (const char* wrong :
         {"/app/.env", "/app/a/.git/config", "/app/..", "/app/../x", "/app/a/..", "/app/%2e%2e/x",
          "/app/%2E%2E%2Fx", "/app/a%5Cb", "/app/a%00", "/app/%0a", "/app/%ff", "/app/%zz",
          "/app/.well-known/.x", "/app/.well-knownx", "/app/a/.well-known/x"}) {
        CAPTURE(wrong);
        CHECK_FALSE(path_below(prefix, wrong));
    }
}

TEST_CASE("types by extension", "[gateway]") {
    CHECK(content_type_of("a/b.min.JS") == "text/javascript; charset=utf-8");
    CHECK(content_type_of("x.woff2") == "font/woff2");
    CHECK(content_type_of("README") == "application/octet-stream");
    CHECK(content_type_of("x.unknown") == "application/octet-stream");
}

TEST_CASE("nothing outside of the directory is served", "[gateway]") {
    const folder made;
    file_shelf shelf;
    const auto ask = [&](std::string_view path) {
        return content_of(shelf.find(made.rules(), path, {}));
    };
    CHECK(ask("/") == "root");
    CHECK(ask("/index.html") == "root");
    CHECK(ask("/sub/") == "sub");
    CHECK(ask("/sub") == "redirect");
    CHECK(ask("/a%20b.txt") == "blank");
    CHECK(ask("/inside") == "root");
    CHECK(ask("/.well-known/x") == "known");
    for (const char* path : {"/out", "/out-absolute", "/up/secret", "/up/site/index.html", "/.env",
                             "/pipe", "/nothing", "/index.html/", "/index.html/x", "/../secret"}) {
        CAPTURE(path);
        CHECK(ask(path) == "nothing");
    }
}

TEST_CASE("a file that changed is read again after a second, its compressed forms too",
          "[gateway]") {
    const folder made;
    const auto rules = made.rules();
    file_shelf shelf;
    const file_shelf::steady::time_point start{};
    CHECK(content_of(shelf.find(rules, "/", start)) == "root");
    made.write("site/index.html", "new");
    CHECK(content_of(shelf.find(rules, "/", start + std::chrono::seconds(1))) == "root");
    CHECK(content_of(shelf.find(rules, "/", start + std::chrono::seconds(2))) == "new");
    made.write("site/index.html.br", "brotli");
    const auto found = shelf.find(rules, "/", start + std::chrono::seconds(4));
    REQUIRE(found.what->forms.size() == 2);
    CHECK(found.what->forms[1].content == "brotli");
    CHECK(found.what->forms[0].etag != found.what->forms[1].etag);
    fs::rename(made.path / "site", made.path / "old"); // a release replaces all of it
    fs::create_directories(made.path / "site");
    made.write("site/index.html", "released");
    CHECK(content_of(shelf.find(rules, "/", start + std::chrono::seconds(6))) == "released");
    fs::remove(made.path / "site/index.html");
    CHECK(content_of(shelf.find(rules, "/", start + std::chrono::seconds(8))) == "nothing");
}

TEST_CASE("pages for what is not there", "[gateway]") {
    const folder made;
    auto rules = made.rules();
    rules.prefix = "/app";
    rules.fallback = path_of(rules.prefix, "index.html");
    rules.not_found = path_of(rules.prefix, "a b.txt");
    file_shelf shelf;
    const auto page = shelf.find(rules, "/app/jobs/7", {});
    CHECK(content_of(page) == "root");
    CHECK_FALSE(page.missing);
    const auto missing = shelf.find(rules, "/app/jobs/7.js", {});
    CHECK(content_of(missing) == "blank");
    CHECK(missing.missing);
}
