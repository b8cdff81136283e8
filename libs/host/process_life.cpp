#include "async/backoff.hpp"
#include "host/process_impl.hpp"
#include "http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace asio = boost::asio;

namespace relais::host {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// `a || b` waits for b when a throws, so a command does not throw (its reader may have gone away).
asio::awaitable<int> without_throwing(asio::awaitable<int> command) {
    try {
        const int code = co_await std::move(command);
        co_return code;
    } catch (const boost::system::system_error&) {
        throw; // cancelled: the other one has ended
    } catch (const std::exception& failed) {
        fmt::print(stderr, "{}\n", failed.what());
    }
    co_return 1;
}

} // namespace

void process::impl::watch_signals() {
    signals.async_wait([this](const boost::system::error_code& failed, int number) {
        if (failed) {
            return;
        }
        logger.info("signal.received", {{"signal", number}, {"again", stopping}});
        request_stop(); // a second one ends the drain delay early
        watch_signals();
    });
}

void process::impl::arm_watchdog() {
    watchdog.expires_after(settings.drain_delay + settings.stop_limit);
    watchdog.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) {
            logger.error("stop.cut_off", {{"limit_ms", settings.stop_limit.count()}});
            logger.flush();
            std::_Exit(1);
        }
    });
}

asio::awaitable<void> process::impl::measure_loop_lag() {
    const auto lag = metrics.gauge("asio_loop_lag_seconds", "How late a timer of the loop was");
    constexpr std::chrono::seconds period{1};
    while (true) {
        const auto before = std::chrono::steady_clock::now();
        co_await async::sleep_for(period);
        lag.set(seconds_since(before + period));
    }
}

/// A dependency that is away is waited for, so a restart of the database does not need one of ours.
asio::awaitable<bool> process::impl::start_part(part& one) {
    const async::backoff pause{std::chrono::milliseconds(100), std::chrono::milliseconds(2'000)};
    for (unsigned attempt = 1; !stopping; ++attempt) {
        auto starting = one.start();
        const result<void> started = co_await std::move(starting);
        if (started) {
            co_return true;
        }
        const error& why = started.error();
        if (!is_retriable(why.kind) || why.kind == error_kind::internal) {
            logger.error("start.failed",
                         {{"part", one.name}, {"error", why.slug}, {"detail", why.detail}});
            exit_code = 1;
            co_return false;
        }
        logger.warn("start.waiting",
                    {{"part", one.name}, {"error", why.slug}, {"attempt", attempt}});
        co_await stop_wish.wait_for(pause.wait(attempt));
    }
    co_return false;
}

/// Goes on behind those that have started.
asio::awaitable<bool> process::impl::start_stages(std::size_t& started, stage last) {
    for (const stage which : stages) {
        if (which > last) {
            break;
        }
        if (index_of(which) < started) {
            continue;
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (parts[i].stage != which || !parts[i].start) {
                continue;
            }
            const bool ok = co_await start_part(parts[i]);
            if (!ok) {
                started = index_of(which) + 1;
                co_return false;
            }
        }
        started = index_of(which) + 1;
    }
    co_return true;
}

asio::awaitable<void> process::impl::stop_stages(std::size_t started) {
    for (std::size_t place = started; place > 0; --place) {
        const stage which = stages[place - 1];
        for (auto one = parts.rbegin(); one != parts.rend(); ++one) {
            if (one->stage == which && one->stop) {
                auto stopping_part = one->stop();
                co_await std::move(stopping_part);
            }
        }
        auto& group = *groups[place - 1];
        group.cancel();
        co_await group.join();
    }
}

asio::awaitable<void> process::impl::drain() {
    admin.set_phase(phase::draining);
    for (const auto& action : drain_actions) {
        action();
    }
    logger.info("drain.started", {{"delay_ms", settings.drain_delay.count()}});
    if (settings.drain_delay > std::chrono::milliseconds(0) && !sockets.given_away()) {
        co_await stop_wish.wait_for(settings.drain_delay);
    }
}

bool process::impl::start_admin(http::server& admin_server) {
    const result<void> listening = admin_server.start();
    if (!listening) {
        logger.error("start.failed", {{"part", "admin"}, {"detail", listening.error().detail}});
        exit_code = 1;
    }
    return listening.has_value();
}

/// A process that takes over accepts nothing before it is ready: until then the one before it does.
asio::awaitable<bool> process::impl::start_all(std::size_t& started, http::server& admin_server) {
    if (!ask_predecessor()) {
        co_return false;
    }
    if (!predecessor && !start_admin(admin_server)) {
        co_return false;
    }
    groups[index_of(stage::pools)]->spawn("loop-lag", measure_loop_lag());
    if (predecessor) {
        const bool prepared = co_await start_stages(started, stage::consumers);
        const bool ready = prepared && co_await wait_until_ready();
        if (!ready || !start_admin(admin_server)) {
            co_return false;
        }
    }
    const bool all = co_await start_stages(started, stage::acceptors);
    if (!all || !replace_predecessor()) {
        co_return false;
    }
    await_successor();
    co_return true;
}

asio::awaitable<void> process::impl::live() {
    http::server_settings admin_settings;
    admin_settings.listen = settings.admin_listen;
    admin_settings.sockets = &sockets;
    http::server admin_server(admin_settings, admin.routes(), nullptr, loop, metrics, logger);
    std::size_t started = 0;
    const bool ready = co_await start_all(started, admin_server);
    if (ready) {
        admin.set_phase(phase::running);
        logger.info("service.ready", {{"seconds", seconds_since(created)},
                                      {"admin", settings.admin_listen.text()},
                                      {"version", version()}});
        while (!stopping) {
            co_await stop_wish.wait();
        }
    }
    co_await stop_all(started, admin_server);
}

asio::awaitable<void> process::impl::stop_all(std::size_t started, http::server& admin_server) {
    const auto stop_began = std::chrono::steady_clock::now();
    arm_watchdog();
    if (sockets.given_away()) {
        // Whoever asks how the service does shall ask its successor.
        co_await admin_server.stop(std::chrono::milliseconds(200));
    }
    co_await drain();
    co_await stop_stages(started);
    co_await admin_server.stop(std::chrono::milliseconds(500));
    if (successors) {
        successors->close();
    }
    logger.info("service.stopped",
                {{"seconds", seconds_since(stop_began)}, {"exit_code", exit_code}});
    watchdog.cancel();
    signals.cancel();
    // Members may wait on the loop for as long as they live (a Kafka producer for its events, say).
    // They die after run(), so waiting for them here would be for ever.
    loop.stop();
}

asio::awaitable<void> process::impl::live_for(const command& one, std::vector<std::string> words) {
    using namespace asio::experimental::awaitable_operators;
    exit_code = 1; // until it says otherwise
    std::size_t started = 0;
    const bool ready = co_await start_stages(started, stage::pools);
    if (ready) {
        auto running = without_throwing(one.run(std::move(words)));
        auto wish = stop_wish.wait();
        const auto ended = co_await (std::move(running) || std::move(wish));
        exit_code = ended.index() == 0 ? std::get<0>(ended) : 1;
    }
    arm_watchdog();
    co_await stop_stages(started);
    watchdog.cancel();
    signals.cancel();
    loop.stop();
}

int process::impl::run_until_end(asio::awaitable<void> life) {
    std::signal(SIGPIPE, SIG_IGN);
    signals.add(SIGTERM);
    signals.add(SIGINT);
    watch_signals();
    asio::co_spawn(loop, std::move(life), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop.run();
    logger.flush();
    return exit_code;
}

} // namespace relais::host
