#include "host/process_impl.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace asio = boost::asio;

// How a process takes the place of the one before it, and gives its own to the next.
namespace relais::host {
namespace {

constexpr std::chrono::milliseconds look_again{20};

} // namespace

/// False: there is one that does not give its sockets away, so this one could not listen.
bool process::impl::ask_predecessor() {
    if (settings.takeover_socket.empty()) {
        return true;
    }
    auto asked = takeover_request::begin(settings.takeover_socket, sockets);
    if (!asked) {
        logger.error("takeover.failed",
                     {{"error", asked.error().slug}, {"detail", asked.error().detail}});
        exit_code = 1;
        return false;
    }
    predecessor = std::move(*asked);
    if (predecessor) {
        logger.info("takeover.begun", {{"sockets", predecessor->sockets()}});
    }
    return true;
}

asio::awaitable<bool> process::impl::wait_until_ready() {
    const auto until = std::chrono::steady_clock::now() + settings.takeover_ready_within;
    while (!stopping) {
        const auto failing = admin.failing_checks();
        if (failing.empty()) {
            break;
        }
        if (std::chrono::steady_clock::now() > until) {
            logger.error("takeover.failed",
                         {{"error", "not-ready"},
                          {"detail", fmt::format("/readyz would not say yes within {} ms: {}",
                                                 settings.takeover_ready_within.count(),
                                                 fmt::join(failing, "; "))}});
            exit_code = 1;
            co_return false;
        }
        co_await stop_wish.wait_for(look_again);
    }
    co_return !stopping;
}

/// From here on this one serves alone.
bool process::impl::replace_predecessor() {
    if (!predecessor) {
        return true;
    }
    const auto replaced = predecessor->finish();
    predecessor.reset();
    sockets.clear(); // of listeners that the configuration does not have any more
    if (!replaced) {
        logger.error("takeover.failed",
                     {{"error", replaced.error().slug}, {"detail", replaced.error().detail}});
        exit_code = 1;
        return false;
    }
    logger.info("takeover.done");
    return true;
}

/// Without the socket the service runs all the same; only the next restart is not seamless.
void process::impl::await_successor() {
    if (settings.takeover_socket.empty()) {
        return;
    }
    successors.emplace(loop, sockets, logger, [this] { request_stop(); });
    const auto opened = successors->open(settings.takeover_socket);
    if (!opened) {
        logger.error("takeover.unavailable", {{"detail", opened.error().detail}});
        successors.reset();
        return;
    }
    groups[index_of(stage::pools)]->spawn("takeover", successors->run());
}

} // namespace relais::host
