#include "async/failpoint.hpp"
#include "async/task_group.hpp"
#include "inbox/worker.hpp"

#include <stdexcept>

namespace asio = boost::asio;

// The part of a worker that handles keys of its partition side by side.

namespace relais::inbox {

/// What all slices together have read. Only whoever divides a partition needs it.
void worker::note_all(std::span<const incoming> events) {
    if (slices_ == 1 && parts_.parallel_keys == 1) {
        return;
    }
    for (const auto& each : events) {
        if (each.event) {
            advance(mark_, *each.event);
        }
    }
    mark_.next_offset = events.back().record.offset() + 1;
}

/// One batch: its slices at the same time, then the partition's row as a whole. Should this process
/// end in between, the next one divides as we did until the slices are level again.
asio::awaitable<void> worker::handle_slices(std::span<incoming> events) {
    note_all(events);
    const auto last = events.back().record;
    std::vector<std::vector<incoming>> groups(static_cast<std::size_t>(slices_));
    for (auto& each : events) {
        const auto index = static_cast<std::size_t>(slice_of(each.record.key(), slices_));
        groups[index].push_back(std::move(each));
    }
    std::size_t unfinished = groups.size();
    std::string broken;
    async::task_group works(
        parts_.loop, [&broken](const std::string&, const std::string& what) { broken = what; });
    for (std::size_t i = 0; i < groups.size(); ++i) {
        works.spawn(std::to_string(i), handle_slice({static_cast<int>(i), slices_, mark_.source},
                                                    std::move(groups[i]), unfinished));
    }
    co_await works.join();
    if (!broken.empty()) {
        throw std::runtime_error(broken); // a bug; the partition is begun anew
    }
    if (unfinished > 0) {
        co_return; // stopped: whoever goes on finds in the slices what is done
    }
    async::failpoint("consumer.slices_done");
    co_await make_level();
    move_to(last);
}

asio::awaitable<void> worker::handle_slice(slice part, std::vector<incoming> events,
                                           std::size_t& unfinished) {
    bool finished = events.empty();
    if (!finished) {
        const auto turn = co_await parts_.lanes.enter(lane_);
        finished = co_await handle(events, part);
    }
    unfinished -= finished ? 1 : 0;
}

asio::awaitable<void> worker::make_level() {
    while (!stopping_) {
        auto body = [this](pg::transaction& tx) -> result<levelled> {
            return level(tx, at_, base_, mark_);
        };
        const auto done = co_await parts_.database.transact("inbox_level", std::move(body));
        if (!done) {
            co_await pause_after(done.error());
            continue;
        }
        if (*done == levelled::moved) {
            throw std::runtime_error("another instance handles this partition");
        }
        if (*done == levelled::done) {
            base_ = mark_.next_offset;
            slices_ = parts_.parallel_keys;
        }
        co_return;
    }
}

} // namespace relais::inbox
