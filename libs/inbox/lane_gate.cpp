#include "inbox/lane_gate.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::inbox {

std::size_t lane_limits::of(events::lane lane, std::size_t threads) {
    switch (lane) {
    case events::lane::interactive:
        return threads;
    case events::lane::normal:
        return std::max<std::size_t>(threads, 2) - 1;
    case events::lane::bulk:
        return std::max<std::size_t>(threads / 4, 1);
    }
    return threads;
}

lane_gate::lane_gate(asio::io_context& loop, std::size_t threads)
    : threads_(threads), changed_(loop) {}

asio::awaitable<lane_gate::pass> lane_gate::enter(events::lane lane) {
    auto& count = inside_.at(static_cast<std::size_t>(lane));
    while (count >= lane_limits::of(lane, threads_)) {
        co_await changed_.wait();
    }
    ++count;
    co_return pass(*this, lane);
}

void lane_gate::leave(events::lane lane) {
    --inside_.at(static_cast<std::size_t>(lane));
    changed_.notify_all();
}

} // namespace relais::inbox
