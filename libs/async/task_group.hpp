#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace relais::async {

namespace detail {
struct group_state;
}

/// Owns running coroutines, so that none is ever detached: whoever starts work in a group can stop
/// it and wait for its end. All members are called on the io_context's thread. The group must be
/// empty when it is destroyed (cancel(), then join()).
class task_group {
public:
    /// on_failure is told the task's name and what it threw; a coroutine that throws is a bug.
    using failure_handler = std::function<void(const std::string& name, const std::string& what)>;

    task_group(boost::asio::io_context& loop, failure_handler on_failure);
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts the coroutine. After cancel() a new one is started too but cancelled at once.
    void spawn(std::string name, boost::asio::awaitable<void> task);

    /// Asks every task to stop: its pending operation completes with operation_aborted.
    void cancel();

    bool cancelled() const;
    std::size_t size() const;

    /// Returns when no task is left.
    boost::asio::awaitable<void> join();

private:
    std::shared_ptr<detail::group_state> state_; // shared with the running tasks' completions
};

} // namespace relais::async
