#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace relais::test {

/// Runs one coroutine on the loop until it ends and returns what it returned; other work of the
/// loop goes on meanwhile. What the coroutine throws comes out here.
template <class T>
T await_on(boost::asio::io_context& loop, boost::asio::awaitable<T> task) {
    std::optional<T> value;
    std::exception_ptr thrown;
    bool done = false;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr failed, T got) {
        thrown = std::move(failed);
        value.emplace(std::move(got));
        done = true;
    });
    loop.restart();
    while (!done && loop.run_one() > 0) {}
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    return std::move(*value);
}

inline void await_on(boost::asio::io_context& loop, boost::asio::awaitable<void> task) {
    std::exception_ptr thrown;
    bool done = false;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr failed) {
        thrown = std::move(failed);
        done = true;
    });
    loop.restart();
    while (!done && loop.run_one() > 0) {}
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

} // namespace relais::test
