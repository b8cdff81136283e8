#include "async/task_group.hpp"

#include "async/signal.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <cassert>
#include <exception>
#include <list>

namespace asio = boost::asio;

namespace relais::async {

namespace detail {

struct group_state {
    asio::io_context& loop;
    task_group::failure_handler on_failure;
    std::list<asio::cancellation_signal> running;
    bool cancelled = false;
    signal emptied;

    group_state(asio::io_context& io, task_group::failure_handler handler)
        : loop(io), on_failure(std::move(handler)), emptied(io) {}
};

} // namespace detail

namespace {

void report(detail::group_state& state, const std::string& name, const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& failed) {
        // Being cancelled is how a task is meant to end.
        if (failed.code() != asio::error::operation_aborted) {
            state.on_failure(name, failed.what());
        }
    } catch (const std::exception& failed) {
        state.on_failure(name, failed.what());
    } catch (...) {
        state.on_failure(name, "an exception of an unknown type");
    }
}

} // namespace

task_group::task_group(asio::io_context& loop, failure_handler on_failure)
    : state_(std::make_shared<detail::group_state>(loop, std::move(on_failure))) {}

task_group::~task_group() {
    assert(state_->running.empty() || state_->loop.stopped());
}

void task_group::spawn(std::string name, asio::awaitable<void> task) {
    auto entry = state_->running.emplace(state_->running.end());
    auto done = [state = state_, entry, name = std::move(name)](const std::exception_ptr& thrown) {
        if (thrown) {
            report(*state, name, thrown);
        }
        state->running.erase(entry);
        if (state->running.empty()) {
            state->emptied.notify_all();
        }
    };
    asio::co_spawn(state_->loop, std::move(task),
                   asio::bind_cancellation_slot(entry->slot(), std::move(done)));
    if (state_->cancelled) {
        cancel();
    }
}

void task_group::cancel() {
    state_->cancelled = true;
    // Posted, and looked up again each time: emitting may end tasks, which removes them from the
    // list.
    asio::post(state_->loop, [state = state_] {
        std::vector<asio::cancellation_signal*> targets;
        for (auto& running : state->running) {
            targets.push_back(&running);
        }
        for (auto* target : targets) {
            const bool still_there =
                std::ranges::any_of(state->running, [&](auto& s) { return &s == target; });
            if (still_there) {
                target->emit(asio::cancellation_type::terminal);
            }
        }
    });
}

bool task_group::cancelled() const {
    return state_->cancelled;
}

std::size_t task_group::size() const {
    return state_->running.size();
}

asio::awaitable<void> task_group::join() {
    while (!state_->running.empty()) {
        co_await state_->emptied.wait();
    }
}

} // namespace relais::async
