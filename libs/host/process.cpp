#include "host/process.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "host/admin.hpp"
#include "http/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <csignal>
#include <cstdlib>

namespace asio = boost::asio;

namespace relais::host {
namespace {

constexpr std::array stages{stage::pools, stage::producers, stage::workers, stage::consumers,
                            stage::acceptors};

constexpr std::size_t index_of(stage which) {
    return static_cast<std::size_t>(which);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

struct process::impl {
    process_settings settings;
    std::chrono::steady_clock::time_point created = std::chrono::steady_clock::now();
    asio::io_context loop{1};
    metrics::registry metrics;
    log::logger logger;
    system_clock time;
    admin_state admin;
    std::vector<std::unique_ptr<async::task_group>> groups; // one per stage
    std::vector<part> parts;
    std::vector<std::function<void()>> drain_actions;
    asio::signal_set signals{loop};
    async::signal stop_wish{loop};
    asio::steady_timer watchdog{loop};
    bool stopping = false;
    int exit_code = 0;

    explicit impl(process_settings given)
        : settings(std::move(given)),
          logger(settings.service, settings.instance, settings.log_level),
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
    asio::awaitable<void> measure_loop_lag();
    asio::awaitable<bool> start_part(part& one);
    asio::awaitable<bool> start_stages(std::size_t& started);
    asio::awaitable<void> stop_stages(std::size_t started);
    asio::awaitable<void> drain();
    asio::awaitable<void> live();
};

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

asio::awaitable<bool> process::impl::start_stages(std::size_t& started) {
    for (const stage which : stages) {
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
    if (settings.drain_delay > std::chrono::milliseconds(0)) {
        co_await stop_wish.wait_for(settings.drain_delay);
    }
}

asio::awaitable<void> process::impl::live() {
    http::server_settings admin_settings;
    admin_settings.listen = settings.admin_listen;
    http::server admin_server(admin_settings, admin.routes(), nullptr, loop, metrics, logger);
    const result<void> listening = admin_server.start();
    if (!listening) {
        logger.error("start.failed", {{"part", "admin"}, {"detail", listening.error().detail}});
        exit_code = 1;
        signals.cancel();
        co_return;
    }
    groups[index_of(stage::pools)]->spawn("loop-lag", measure_loop_lag());
    std::size_t started = 0;
    const bool ready = co_await start_stages(started);
    if (ready) {
        admin.set_phase(phase::running);
        logger.info("service.ready", {{"seconds", seconds_since(created)},
                                      {"admin", settings.admin_listen.text()},
                                      {"version", version()}});
        while (!stopping) {
            co_await stop_wish.wait();
        }
    }
    const auto stop_began = std::chrono::steady_clock::now();
    arm_watchdog();
    co_await drain();
    co_await stop_stages(started);
    co_await admin_server.stop(std::chrono::milliseconds(500));
    logger.info("service.stopped",
                {{"seconds", seconds_since(stop_began)}, {"exit_code", exit_code}});
    watchdog.cancel();
    signals.cancel();
    // Members may wait on the loop for as long as they live (a Kafka producer for its events, say).
    // They die after run(), so waiting for them here would be for ever.
    loop.stop();
}

process::process(process_settings settings) : impl_(std::make_unique<impl>(std::move(settings))) {}

process::~process() = default;

asio::io_context& process::loop() {
    return impl_->loop;
}

metrics::registry& process::metrics() {
    return impl_->metrics;
}

const log::logger& process::logger() const {
    return impl_->logger;
}

const clock& process::time() const {
    return impl_->time;
}

const process_settings& process::settings() const {
    return impl_->settings;
}

async::task_group& process::tasks(stage which) {
    return *impl_->groups[index_of(which)];
}

void process::add(part value) {
    impl_->parts.push_back(std::move(value));
}

void process::run_task(stage which, std::string name, std::function<asio::awaitable<void>()> run) {
    auto start = [this, which, name, run = std::move(run)]() -> asio::awaitable<result<void>> {
        tasks(which).spawn(name, run());
        co_return result<void>();
    };
    add(part{which, name, std::move(start), nullptr});
}

void process::add_readiness(std::string name, std::function<result<void>()> check) {
    impl_->admin.add_check(std::move(name), std::move(check));
}

void process::on_drain(std::function<void()> action) {
    impl_->drain_actions.push_back(std::move(action));
}

int process::run() {
    std::signal(SIGPIPE, SIG_IGN);
    impl_->signals.add(SIGTERM);
    impl_->signals.add(SIGINT);
    impl_->watch_signals();
    asio::co_spawn(impl_->loop, impl_->live(), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    impl_->loop.run();
    impl_->logger.flush();
    return impl_->exit_code;
}

} // namespace relais::host
