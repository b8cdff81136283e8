#include "gateway/routing/reload.hpp"

#include "async/signal.hpp"

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>
#include <sys/stat.h>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds look_period{250};

} // namespace

reload::reload(std::string path, publish on_change, asio::io_context& loop,
               metrics::registry& metrics, log::logger logger)
    : path_(std::move(path)), on_change_(std::move(on_change)), loop_(loop),
      logger_(std::move(logger)),
      accepted_(metrics.counter("gateway_config_reloads_total", "Configurations read, by outcome",
                                {{"result", "accepted"}})),
      refused_(metrics.counter("gateway_config_reloads_total", "Configurations read, by outcome",
                               {{"result", "refused"}})),
      last_accepted_(metrics.gauge("gateway_config_accepted_timestamp_seconds",
                                   "When the configuration in use was read")),
      seen_(look()) {
    last_accepted_.set(static_cast<double>(std::time(nullptr)));
}

reload::version reload::look() const {
    struct stat found{};
    if (::stat(path_.c_str(), &found) != 0) {
        return {};
    }
    constexpr std::int64_t second_ns = 1'000'000'000;
    return {found.st_mtim.tv_sec * second_ns + found.st_mtim.tv_nsec,
            static_cast<std::uint64_t>(found.st_ino), static_cast<std::int64_t>(found.st_size)};
}

void reload::read() {
    config::reader from(config::process_environment());
    auto table = std::make_shared<route_table>(read_route_file(path_, from));
    if (!from.problems().empty()) {
        refused_.increment();
        for (const auto& problem : from.problems()) {
            logger_.error("config.refused", {{"file", path_}, {"problem", problem}});
        }
        return;
    }
    accepted_.increment();
    last_accepted_.set(static_cast<double>(std::time(nullptr)));
    logger_.info("config.accepted", {{"file", path_},
                                     {"routes", table->routes.size()},
                                     {"upstreams", table->upstreams.size()}});
    on_change_(std::move(table));
}

asio::awaitable<void> reload::run() {
    async::signal asked(loop_);
    bool wanted = false;
    asio::signal_set hangups(loop_, SIGHUP);
    std::function<void()> listen = [&] {
        hangups.async_wait([&](const boost::system::error_code& failed, int) {
            if (!failed) {
                wanted = true;
                asked.notify_all();
                listen();
            }
        });
    };
    listen();
    while (true) {
        co_await asked.wait_for(look_period);
        const auto now = look();
        // A file that is away for a moment is being replaced.
        const bool changed = now != seen_ && now.bytes >= 0;
        if (changed || wanted) {
            wanted = false;
            seen_ = now;
            read();
        }
    }
}

} // namespace relais::gateway
