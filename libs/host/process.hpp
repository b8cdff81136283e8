#pragma once

#include "async/task_group.hpp"
#include "clock/clock.hpp"
#include "config/reader.hpp"
#include "host/health.hpp"
#include "http/router.hpp"
#include "http/socket_shelf.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::host {

/// A one-off run: `relais-<service> NAME WORDS…`, with the service's configuration, in a process of
/// its own. Only the pools are started.
struct command {
    std::string name;
    std::string usage; ///< lines for --help
    /// Returns the exit code. SIGTERM cancels it.
    std::function<boost::asio::awaitable<int>(std::vector<std::string> words)> run;
};

/// What every service has, read from the environment.
struct process_settings {
    std::string service; ///< "web-api"
    std::string instance;
    config::endpoint admin_listen;
    log::level log_level = log::level::info;
    int log_descriptor = 1;                   ///< a one-off run answers on 1 and logs to 2
    std::chrono::milliseconds drain_delay{0}; ///< not ready, but still accepting
    std::chrono::milliseconds stop_limit{
        25'000}; ///< then the process ends anyway, with exit code 1
    /// Where the next process asks this one for its listening sockets; empty: nowhere. For services
    /// all of whose listeners are on sockets().
    std::string takeover_socket;
    /// A process that takes over and is not ready by then gives up: the one before it goes on.
    std::chrono::milliseconds takeover_ready_within{60'000};
};

process_settings read_process_settings(config::reader& from, std::string service,
                                       std::string default_admin_listen);

/// The order of life. Starting goes down this list, stopping goes up: first nothing new comes in,
/// last the database closes.
enum class stage { pools, producers, workers, consumers, acceptors };

/// One part of a service that starts and stops. Empty functions are skipped.
struct part {
    host::stage stage = host::stage::workers;
    std::string name;
    std::function<boost::asio::awaitable<result<void>>()> start;
    std::function<boost::asio::awaitable<void>()> stop;
};

/// A service's process: one loop on one thread, logger, metrics, the admin listener with /livez,
/// /readyz, /metrics, /version, and the life from start to exit code. /livez answers before the
/// parts start and never looks at them; /readyz says which check fails.
class process {
public:
    explicit process(process_settings settings);
    ~process();

    boost::asio::io_context& loop();
    metrics::registry& metrics();
    const log::logger& logger() const;
    const clock& time() const;
    const process_settings& settings() const;

    /// For listeners: sockets that the process before this one gave away, and those to give away.
    http::socket_shelf& sockets();

    /// Whether it stops because another process has taken its listening sockets over.
    bool was_taken_over() const;

    /// Owns coroutines of the given stage: cancelled and joined when that stage stops.
    async::task_group& tasks(stage which);

    void add(part value);

    /// Runs a coroutine for the stage's life: spawn(stage::producers, "outbox-relay", relay.run()).
    void run_task(stage which, const std::string& name,
                  std::function<boost::asio::awaitable<void>()> run);

    /// Asked by /readyz; must not block. The error's detail is shown.
    void add_readiness(std::string name, std::function<result<void>()> check);

    /// More for the admin listener; before run().
    void add_admin_routes(std::vector<http::route> routes);

    /// Called once when draining begins (e.g. server.announce_drain()).
    void on_drain(std::function<void()> action);

    void add_command(command value);

    /// Runs a command instead of the service: its exit code, or 2 with a list when there is none of
    /// this name.
    int run_command(std::vector<std::string> words);

    /// Until SIGTERM or SIGINT. 0: stopped cleanly; 1: could not start, or had to be cut off.
    int run();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// The whole of a service's main(): handles --help, --help-config, --check-config, --version,
/// --health and --alive, reads the configuration (all errors at once on standard error, exit 1),
/// builds and runs. `build` returns the app object that must live as long as the process runs.
template <class Config, class App>
int run_service(int argc, char** argv, std::string_view service, std::string_view summary,
                Config (*read)(config::reader&),
                std::unique_ptr<App> (*build)(const Config&, process&));

namespace detail {
struct invocation {
    bool run = false;
    bool check_only = false;
    bool help_config = false;
    std::vector<std::string> command; ///< a one-off run, with its words
    std::string_view ask;             ///< path to ask the running process for, see host/health.hpp
    int exit_code = 0;
};

invocation parse_arguments(int argc, char** argv, std::string_view service,
                           std::string_view summary);
int report_configuration(const config::reader& from, const invocation& how);
int guarded(const std::function<int()>& body);
} // namespace detail

template <class Config, class App>
int run_service(int argc, char** argv, std::string_view service, std::string_view summary,
                Config (*read)(config::reader&),
                std::unique_ptr<App> (*build)(const Config&, process&)) {
    const auto how = detail::parse_arguments(argc, argv, service, summary);
    if (!how.run && !how.check_only && !how.help_config && how.ask.empty()) {
        return how.exit_code;
    }
    config::reader from(config::process_environment());
    const Config settings = read(from);
    if (!how.ask.empty()) {
        return ask_admin(settings.process.admin_listen, how.ask);
    }
    if (how.help_config || how.check_only || !from.problems().empty()) {
        return detail::report_configuration(from, how);
    }
    return detail::guarded([&] {
        auto own = settings.process;
        own.log_descriptor = how.command.empty() ? 1 : 2;
        process running(std::move(own));
        const auto app = build(settings, running);
        return how.command.empty() ? running.run() : running.run_command(how.command);
    });
}

/// Of the build, for /version and --version.
std::string_view version();

} // namespace relais::host
