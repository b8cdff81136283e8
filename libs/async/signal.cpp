#include "async/signal.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace asio = boost::asio;

namespace relais::async {
namespace {

/// Whether the current coroutine was asked to stop, as opposed to a timer being cancelled under it.
asio::awaitable<bool> stop_requested() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

} // namespace

signal::signal(asio::io_context& loop) : timer_(loop, asio::steady_timer::time_point::max()) {}

void signal::notify_all() {
    ++generation_;
    timer_.cancel();
}

asio::awaitable<void> signal::wait() {
    const auto before = generation_;
    while (generation_ == before) {
        boost::system::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        const bool stopping = co_await stop_requested();
        if (stopping) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }
}

asio::awaitable<bool> signal::wait_for(std::chrono::steady_clock::duration at_most) {
    using namespace asio::experimental::awaitable_operators;
    const auto before = generation_;
    auto notified = wait();
    auto slept = sleep_for(at_most);
    try {
        co_await (std::move(notified) || std::move(slept));
    } catch (const asio::multiple_exceptions& both) { // both were cancelled, with us
        std::rethrow_exception(both.first_exception());
    }
    co_return generation_ != before;
}

asio::awaitable<void> sleep_for(std::chrono::steady_clock::duration duration) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace relais::async
