#include "host/process.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <exception>
#include <unistd.h>

namespace relais::host {
namespace {

std::string default_instance() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return fmt::format("{}-{}", name.data(), getpid());
}

} // namespace

std::string_view version() {
    return RELAIS_VERSION;
}

process_settings read_process_settings(config::reader& from, std::string service,
                                       std::string default_admin_listen) {
    process_settings out;
    out.service = std::move(service);
    out.admin_listen = from.endpoint("RELAIS_ADMIN_LISTEN", std::move(default_admin_listen),
                                     "Where /livez, /readyz, /metrics and /version are served");
    out.instance = from.text("RELAIS_INSTANCE", default_instance(),
                             "Name of this instance; keep it over restarts in production");
    out.log_level =
        log::parse_level(from.choice("RELAIS_LOG_LEVEL", {"debug", "info", "warn", "error"}, "info",
                                     "Least severity that is logged"));
    out.drain_delay =
        from.duration_ms("RELAIS_DRAIN_DELAY", std::chrono::milliseconds(0),
                         "How long to keep accepting after SIGTERM while /readyz says no");
    out.stop_limit = from.duration_ms("RELAIS_STOP_LIMIT", std::chrono::milliseconds(25'000),
                                      "After this long a stop is cut off with exit code 1");
    return out;
}

namespace detail {

invocation parse_arguments(int argc, char** argv, std::string_view service,
                           std::string_view summary) {
    invocation how;
    if (argc == 1) {
        how.run = true;
        return how;
    }
    if (argv[1][0] != '-') {
        how.run = true;
        how.command.assign(argv + 1, argv + argc);
        return how;
    }
    const std::string_view word = argc == 2 ? argv[1] : "";
    if (word == "--check-config") {
        how.check_only = true;
    } else if (word == "--help-config") {
        how.help_config = true;
    } else if (word == "--health") {
        how.ask = "/readyz";
    } else if (word == "--alive") {
        how.ask = "/livez";
    } else if (word == "--version") {
        fmt::print("relais-{} {}\n", service, version());
    } else if (word == "--help" || word == "-h") {
        fmt::print("relais-{}: {}\n\n"
                   "  relais-{}                  run (configuration from the environment)\n"
                   "  relais-{} --check-config   say whether the configuration is complete\n"
                   "  relais-{} --help-config    list all variables\n"
                   "  relais-{} --health         exit code 0 when the running one is ready\n"
                   "  relais-{} --alive          exit code 0 when the running one is alive\n"
                   "  relais-{} --version\n"
                   "  relais-{} help             list the one-off runs\n",
                   service, summary, service, service, service, service, service, service, service);
    } else {
        fmt::print(stderr, "relais-{}: unknown arguments; see --help\n", service);
        how.exit_code = 2;
    }
    return how;
}

int report_configuration(const config::reader& from, const invocation& how) {
    if (how.help_config) {
        fmt::print("{}", from.help());
        return 0;
    }
    if (from.problems().empty()) {
        fmt::print("configuration: ok, {} variables\n", from.variables().size());
        return 0;
    }
    fmt::print(stderr, "configuration: {} problem(s)\n", from.problems().size());
    for (const auto& problem : from.problems()) {
        fmt::print(stderr, "  {}\n", problem);
    }
    fmt::print(stderr, "--help-config lists all variables\n");
    return 1;
}

int guarded(const std::function<int()>& body) {
    try {
        return body();
    } catch (const std::exception& failed) {
        fmt::print(stderr, "cannot start: {}\n", failed.what());
        return 1;
    }
}

} // namespace detail
} // namespace relais::host
