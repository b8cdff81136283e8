#pragma once

// For the .cpp files of process only.

#include "async/signal.hpp"
#include "host/admin.hpp"
#include "host/process.hpp"
#include "host/takeover.hpp"
#include "http/server.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>

namespace relais::host {

inline constexpr std::array stages{stage::pools, stage::producers, stage::workers, stage::consumers,
                                   stage::acceptors};

constexpr std::size_t index_of(stage which) {
    return static_cast<std::size_t>(which);
}

struct process::impl {
    process_settings settings;
    std::chrono::steady_clock::time_point created = std::chrono::steady_clock::now();
    http::socket_shelf sockets;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    log::logger logger;
    system_clock time;
    admin_state admin;
    std::vector<std::unique_ptr<async::task_group>> groups; // one per stage
    std::vector<part> parts;
    std::vector<std::function<void()>> drain_actions;
    std::vector<command> commands;
    boost::asio::signal_set signals{loop};
    async::signal stop_wish{loop};
    std::optional<takeover_request> predecessor;
    std::optional<takeover_server> successors;
    boost::asio::steady_timer watchdog{loop};
    bool stopping = false;
    int exit_code = 0;

    explicit impl(process_settings given)
        : settings(std::move(given)),
          logger(settings.service, settings.instance, settings.log_level, settings.log_descriptor),
          admin(metrics, logger, settings.service) {
        for ([[maybe_unused]] const stage each : stages) {
            groups.push_back(std::make_unique<async::task_group>(
                loop, [this](const std::string& name, const std::string& what) {
                    task_failed(name, what);
                }));
        }
    }

    // A task that throws is a bug. Going on without it would be a service that looks alive and is
    // not, so the process drains and leaves with exit code 1; its supervisor starts it again.
    void task_failed(const std::string& name, const std::string& what) {
        logger.error("task.failed", {{"task", name}, {"error", what}});
        exit_code = 1;
        request_stop();
    }

    void request_stop() {
        stopping = true;
        stop_wish.notify_all();
    }

    void watch_signals();
    void arm_watchdog();
    boost::asio::awaitable<void> measure_loop_lag();
    boost::asio::awaitable<bool> start_part(part& one);
    boost::asio::awaitable<bool> start_stages(std::size_t& started, stage last);
    boost::asio::awaitable<bool> start_all(std::size_t& started, http::server& admin_server);
    boost::asio::awaitable<bool> wait_until_ready();
    bool start_admin(http::server& admin_server);
    bool ask_predecessor();
    bool replace_predecessor();
    void await_successor();
    boost::asio::awaitable<void> stop_all(std::size_t started, http::server& admin_server);
    boost::asio::awaitable<void> stop_stages(std::size_t started);
    boost::asio::awaitable<void> drain();
    boost::asio::awaitable<void> live();
    int run_until_end(boost::asio::awaitable<void> life);
    boost::asio::awaitable<void> live_for(const command& one, std::vector<std::string> words);
};

} // namespace relais::host
