#include "gateway/drain.hpp"

#include "async/signal.hpp"

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds look_again{20};
/// With the next answer, for clients that send one request after the other.
constexpr std::chrono::milliseconds time_to_hear_of_it{1'000};
constexpr std::chrono::milliseconds time_to_read_answer{3'000};
constexpr std::chrono::milliseconds first_report{1'000};
constexpr std::chrono::milliseconds report_period{5'000};

} // namespace

drain::drain(edge_fleet& edges, live_board& board, drain_settings settings,
             metrics::registry& metrics, log::logger logger)
    : edges_(edges), board_(board), settings_(settings), logger_(std::move(logger)),
      uploads_(metrics.gauge("gateway_drain_uploads", "Uploads that a stop waits for")),
      bytes_left_(metrics.gauge("gateway_drain_upload_bytes_left", "What they still have to send")),
      seconds_left_(metrics.gauge("gateway_drain_upload_seconds_left",
                                  "How long the longest of them will probably take")) {}

void drain::begin() {
    if (!draining_) {
        draining_ = true;
        began_ = steady::now();
        edges_.tell_each([](edge& each) { each.announce_drain(); });
    }
}

drain_view drain::view() const {
    return {draining_,
            draining_
                ? std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_)
                : std::chrono::milliseconds(0),
            settings_.uploads_max};
}

asio::awaitable<void> drain::finish(bool taken_over) {
    begin();
    const auto began = steady::now();
    auto next_report = began + first_report;
    edges_.stop_accepting();
    if (taken_over) {
        co_await async::sleep_for(time_to_hear_of_it);
    }
    edges_.close_idle();
    // A connection that was accepted in the last moment is on its way to its loop.
    co_await async::sleep_for(look_again);
    while (edges_.clients() > 0) {
        const bool goes_on = co_await may_wait(began);
        if (!goes_on) {
            break;
        }
        if (steady::now() >= next_report) {
            co_await board_.refresh();
            report(began);
            next_report = steady::now() + report_period;
        }
        co_await async::sleep_for(look_again);
    }
    conclude(began);
    edges_.stop();
}

/// Requests have the usual time, uploads the maximum; an upload is one until it is answered.
asio::awaitable<bool> drain::may_wait(steady::time_point began) {
    const auto passed = steady::now() - began;
    if (passed >= std::max(settings_.requests, settings_.uploads_max)) {
        co_return false;
    }
    if (passed < std::min(settings_.requests, settings_.uploads_max)) {
        co_return true;
    }
    co_await board_.refresh();
    const auto now = steady::now();
    if (board_.uploads().count > 0) {
        had_uploads_ = now;
    }
    // The last answer has to reach its client, too.
    co_return passed < settings_.requests || now - had_uploads_ < time_to_read_answer;
}

void drain::report(steady::time_point began) {
    const auto sums = board_.uploads();
    uploads_.set(static_cast<double>(sums.count));
    bytes_left_.set(static_cast<double>(sums.bytes_left));
    seconds_left_.set(static_cast<double>(sums.longest.count()));
    const std::chrono::duration<double> passed = steady::now() - began;
    logger_.info("drain.waiting", {{"seconds", passed.count()},
                                   {"connections", edges_.clients()},
                                   {"uploads", sums.count},
                                   {"bytes_left", sums.bytes_left},
                                   {"seconds_left", sums.longest.count()},
                                   {"uploads_of_unknown_end", sums.unknown},
                                   {"uploads_max_ms", settings_.uploads_max.count()}});
}

void drain::conclude(steady::time_point began) {
    const std::chrono::duration<double> passed = steady::now() - began;
    const auto left = edges_.clients();
    if (left == 0) {
        logger_.info("drain.finished", {{"seconds", passed.count()}});
        return;
    }
    const auto sums = board_.uploads();
    logger_.warn("drain.cut_off", {{"seconds", passed.count()},
                                   {"connections", left},
                                   {"uploads", sums.count},
                                   {"bytes_left", sums.bytes_left}});
}

} // namespace relais::gateway
