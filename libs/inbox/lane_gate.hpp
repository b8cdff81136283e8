#pragma once

#include "async/signal.hpp"
#include "events/topics.hpp"

#include <array>
#include <cstddef>

namespace relais::inbox {

/// How many transactions of each lane may be on the database's threads at a time: bulk work a
/// quarter of them, default work all but one, interactive work as many as there are. So a thread is
/// free for an interactive event within the time of one batch, however much else there is to do.
struct lane_limits {
    static std::size_t of(events::lane lane, std::size_t threads);
};

/// Lets coroutines of the loop pass by their lane. Waits can be cancelled.
class lane_gate {
public:
    lane_gate(boost::asio::io_context& loop, std::size_t threads);

    /// Leaves when destroyed.
    class pass {
    public:
        pass(lane_gate& gate, events::lane lane) : gate_(&gate), lane_(lane) {}

        pass(pass&& other) noexcept : gate_(other.gate_), lane_(other.lane_) {
            other.gate_ = nullptr;
        }

        pass& operator=(pass&&) = delete;
        pass(const pass&) = delete;
        pass& operator=(const pass&) = delete;

        ~pass() {
            if (gate_ != nullptr) {
                gate_->leave(lane_);
            }
        }

    private:
        lane_gate* gate_;
        events::lane lane_;
    };

    boost::asio::awaitable<pass> enter(events::lane lane);

    std::size_t inside(events::lane lane) const {
        return inside_.at(static_cast<std::size_t>(lane));
    }

private:
    friend class pass;
    void leave(events::lane lane);

    std::size_t threads_;
    std::array<std::size_t, events::lane_count> inside_{};
    async::signal changed_;
};

} // namespace relais::inbox
