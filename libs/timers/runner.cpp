#include "timers/runner.hpp"

#include "timers/runner_state.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::timers {

struct runner::impl : detail::runner_state {
    using runner_state::runner_state;
};

runner::runner(pg::pool& database, const clock& time, asio::io_context& loop,
               metrics::registry& metrics, log::logger logger, runner_settings settings)
    : impl_(std::make_shared<impl>(
          detail::surroundings{database, time, loop, metrics, std::move(logger)}, settings)) {}

runner::~runner() = default;

void runner::on(std::string kind, handler fire, policy failures) {
    impl_->add(std::move(kind), std::move(fire), failures);
}

std::function<void()> runner::waker() {
    return [state = impl_] {
        asio::post(state->in.loop, [state] { state->wake_up(); });
    };
}

asio::awaitable<void> runner::run() {
    std::exception_ptr ended;
    try {
        co_await impl_->feed();
    } catch (...) { // normally being cancelled
        ended = std::current_exception();
    }
    // What follows is short, and saves other instances from waiting for claims to run out.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await impl_->finish();
    std::rethrow_exception(ended);
}

} // namespace relais::timers
