#include "gateway/app.hpp"
#include "gateway/routing/route_help.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
    using namespace relais;
    // --check-config FILE: the same check, of a file that is not in use yet.
    if (argc == 3 && std::string_view(argv[1]) == "--check-config") {
        ::setenv("RELAIS_ROUTES_FILE", argv[2], 1);
        --argc;
    }
    const int code = host::run_service<gateway::settings, gateway::app>(
        argc, argv, "gateway", "the edge: strict HTTP, routing, identity, drains",
        gateway::read_settings, gateway::build);
    if (code == 0 && argc == 2 && std::string_view(argv[1]) == "--help-config") {
        fmt::print("\n{}", gateway::route_help());
    }
    return code;
}
