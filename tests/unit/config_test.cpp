#include "config/reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <fstream>
#include <stdlib.h>
#include <unistd.h>

using namespace relais::config;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("all problems are reported together and show no secret", "[config]") {
    reader from({{"PORT", "99999"},
                 {"LISTEN", "nowhere"},
                 {"KEY", "hunter2-not-base64!"},
                 {"MODE", "fast"},
                 {"URL", "ftp://x"}});
    from.integer("PORT", 1, 1, 65535, "a port");
    from.endpoint("LISTEN", std::nullopt, "where to listen");
    from.key("KEY", 32, "a key");
    from.choice("MODE", {"slow", "slower"}, "slow", "a mode");
    from.url("URL", std::nullopt, "a URL");
    from.text("NAME", std::nullopt, "a name");
    from.secret("PASSWORD", std::nullopt, "a password");

    REQUIRE(from.problems().size() == 7);
    std::string all;
    for (const auto& problem : from.problems()) {
        all += problem + "\n";
    }
    CHECK_THAT(all,
               ContainsSubstring("PORT: is \"99999\"; expected a whole number from 1 to 65535"));
    CHECK_THAT(all, ContainsSubstring("NAME: is not set; expected text"));
    CHECK_THAT(all, ContainsSubstring("PASSWORD: is not set; expected a secret, or PASSWORD_FILE"));
    CHECK_THAT(all, !ContainsSubstring("hunter2"));
}

TEST_CASE("values and defaults are read", "[config]") {
    reader from({{"LISTEN", "127.0.0.1:8080"}, {"EMPTY", ""}, {"URL", "http://x/"}});
    CHECK(from.endpoint("LISTEN", std::nullopt, "") == endpoint{"127.0.0.1", 8080});
    CHECK(from.text("EMPTY", "fallback", "") == "fallback");
    CHECK(from.url("URL", std::nullopt, "") == "http://x");
    CHECK(from.boolean("FLAG", true, ""));
    CHECK(from.duration_ms("WAIT", std::chrono::milliseconds(250), "").count() == 250);
    CHECK(from.problems().empty());
    CHECK_THAT(from.help(), ContainsSubstring("WAIT"));
    CHECK_THAT(from.help(), ContainsSubstring("default: 250"));
}

TEST_CASE("a secret comes from a file and prints as stars", "[config]") {
    std::string path = "/tmp/relais-config-XXXXXX";
    const int file = mkstemp(path.data());
    REQUIRE(file >= 0);
    std::ofstream(path) << "from-file\n";
    reader from({{"TOKEN_FILE", path}, {"GONE_FILE", "/nonexistent/secret"}});
    const auto token = from.secret("TOKEN", std::nullopt, "");
    CHECK(token.reveal() == "from-file");
    CHECK(fmt::format("{}", token) == "***");
    CHECK(from.problems().empty());
    from.secret("GONE", std::nullopt, "");
    CHECK_FALSE(from.problems().empty());
    close(file);
    unlink(path.c_str());
}
