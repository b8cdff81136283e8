#include "config/reader.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

using namespace relais;

namespace {

/// Where deploy/setup puts it, unless RELAIS_TEST_H2SPEC names another.
std::string h2spec() {
    const auto variables = config::process_environment();
    const auto value = [&](const char* name, const std::string& otherwise) {
        const auto found = variables.find(name);
        return found == variables.end() || found->second.empty() ? otherwise : found->second;
    };
    return value("RELAIS_TEST_H2SPEC",
                 value("RELAIS_CACHE", "/var/cache/relais") + "/h2spec/bin/h2spec");
}

/// Runs it against this port; more options for TLS.
void ask_everything(std::uint16_t port, const std::string& options) {
    const auto program = h2spec();
    if (!std::filesystem::exists(program)) {
        SKIP("there is no " << program << ": deploy/setup installs it");
    }
    const auto command = fmt::format("{} --strict {} -h 127.0.0.1 -p {} -P /v1/echo -o 5 2>&1",
                                     program, options, port);
    // NOLINTNEXTLINE(cert-env33-c): a program of the tests, with arguments of this file
    FILE* output = ::popen(command.c_str(), "r");
    REQUIRE(output != nullptr);
    std::string text;
    std::array<char, 4096> bytes{};
    while (const auto count = std::fread(bytes.data(), 1, bytes.size(), output)) {
        text.append(bytes.data(), count);
    }
    const int status = ::pclose(output);
    INFO(text);
    CHECK(status == 0);
    CHECK(text.find(" 0 skipped, 0 failed") != std::string::npos);
}

} // namespace

TEST_CASE("h2spec finds nothing", "[gateway][h2][h2spec]") {
    const test::origin_server origin;
    const test::gateway_process gateway(test::routes_for(origin.port()));
    ask_everything(gateway.h2c_port(), "");
}

TEST_CASE("h2spec finds nothing over TLS", "[gateway][h2][tls][h2spec]") {
    const test::tls_gateway with;
    ask_everything(with.port, "--tls --insecure");
}
