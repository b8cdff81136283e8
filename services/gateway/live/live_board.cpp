#include "gateway/live/live_board.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds fresh_for{400};
constexpr std::chrono::milliseconds wait_at_most{500};
constexpr std::chrono::seconds lately{10};

constexpr std::uint16_t client_error_min = 400;
constexpr std::uint16_t failure_min = 500;

void subtract(route_totals& from, const route_totals& what) {
    from.requests -= what.requests;
    from.client_errors -= what.client_errors;
    from.failures -= what.failures;
    for (std::size_t i = 0; i < from.durations.size(); ++i) {
        from.durations[i] -= what.durations[i];
    }
}

} // namespace

route_totals& route_totals::operator+=(const route_totals& more) {
    requests += more.requests;
    client_errors += more.client_errors;
    failures += more.failures;
    for (std::size_t i = 0; i < durations.size(); ++i) {
        durations[i] += more.durations[i];
    }
    return *this;
}

std::chrono::microseconds quantile(const route_totals& of, double share) {
    std::uint64_t all = 0;
    for (const auto each : of.durations) {
        all += each;
    }
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < of.durations.size() && all > 0; ++i) {
        below += of.durations[i];
        if (static_cast<double>(below) >= share * static_cast<double>(all)) {
            const auto last = duration_cells::bounds_us.size() - 1;
            return std::chrono::microseconds(duration_cells::bounds_us[std::min(i, last)]);
        }
    }
    return {};
}

live_board::live_board(std::size_t loops, ask_loop ask, const request_metrics& figures,
                       asio::io_context& control)
    : ask_(std::move(ask)), figures_(figures), answered_(control), views_(loops) {}

asio::awaitable<void> live_board::refresh() {
    const auto now = steady::now();
    if (now - asked_at_ >= fresh_for) {
        asked_at_ = now;
        open_ = views_.size();
        ++round_;
        for (std::size_t i = 0; i < views_.size(); ++i) {
            ask_(i, [this, i, round = round_](loop_view seen) {
                views_[i] = std::move(seen);
                if (round == round_ && --open_ == 0) {
                    take_sample();
                    answered_.notify_all();
                }
            });
        }
    }
    const auto until = asked_at_ + wait_at_most;
    while (open_ > 0 && steady::now() < until) {
        co_await answered_.wait_for(until - steady::now());
    }
}

/// One loop that does not answer keeps nobody from seeing the rest, but rates wait for it.
void live_board::take_sample() {
    sample now{steady::now(), {}};
    figures_.each_request([&](const request_cell& cell) {
        route_totals seen;
        for (std::size_t i = 0; i < duration_cells::buckets; ++i) {
            seen.durations[i] = cell.durations.count(i);
            seen.requests += seen.durations[i];
        }
        const bool failed = cell.status >= failure_min;
        seen.failures = failed ? seen.requests : 0;
        seen.client_errors = cell.status >= client_error_min && !failed ? seen.requests : 0;
        if (seen.requests > 0) {
            now.routes[cell.route] += seen;
        }
    });
    // One that is older stays, so that there is always something to compare with; but not one of a
    // time when somebody else looked.
    while (samples_.size() > 1 && (now.taken - samples_[1].taken >= lately ||
                                   now.taken - samples_[0].taken >= 2 * lately)) {
        samples_.pop_front();
    }
    samples_.push_back(std::move(now));
}

upload_sums live_board::uploads() const {
    upload_sums all;
    for (const auto& each : views_) {
        all.add(each.sums);
    }
    return all;
}

std::map<std::uint16_t, route_view> live_board::routes() const {
    std::map<std::uint16_t, route_view> out;
    if (samples_.empty()) {
        return out;
    }
    const auto& first = samples_.front();
    const auto& last = samples_.back();
    for (const auto& [route, totals] : last.routes) {
        auto& view = out[route];
        view.totals = view.lately = totals;
        view.over = last.taken - first.taken;
        if (const auto before = first.routes.find(route); before != first.routes.end()) {
            subtract(view.lately, before->second);
        }
    }
    return out;
}

} // namespace relais::gateway
