#include "inbox/worker.hpp"

#include <algorithm>

namespace asio = boost::asio;

// The part of a worker that shares transactions with others. A COMMIT costs as much for one event
// as for many, so while partitions wait for a turn, whoever gets it takes along what the others
// have: with little to do each has a transaction of its own, with much to do they share.

namespace relais::inbox {

/// Nothing: we waited long enough for another worker to take our events along.
asio::awaitable<std::optional<lane_gate::pass>> worker::take_turn() {
    auto& row = parts_.rows.at(static_cast<std::size_t>(lane_));

    struct place_in_row {
        std::deque<worker*>& row;
        worker* who;

        place_in_row(std::deque<worker*>& in, worker* me) : row(in), who(me) {
            row.push_back(who);
        }

        place_in_row(const place_in_row&) = delete;
        place_in_row& operator=(const place_in_row&) = delete;

        ~place_in_row() {
            std::erase(row, who);
        }
    };

    std::optional<lane_gate::pass> turn;
    {
        const place_in_row waiting(row, this);
        turn.emplace(co_await parts_.lanes.enter(lane_));
    }
    if (!ride_) {
        co_return turn;
    }
    turn.reset();
    while (!ride_->outcome) {
        co_await changed_.wait();
    }
    co_return std::nullopt;
}

/// What is special about a partition is done in a transaction of its own.
bool worker::may_ride() const {
    return parts_.parallel_keys == 1 && slices_ == 1 && careful_left_ == 0 && !reset_from_ &&
           !asked_for_ && !stopping_;
}

/// Those that wait for a turn of this lane, as long as there is room in the transaction, with their
/// records.
std::vector<worker*> worker::take_along(const kafka::fetched& own) {
    std::vector<worker*> taken;
    if (!may_ride()) {
        return taken;
    }
    auto& row = parts_.rows.at(static_cast<std::size_t>(lane_));
    std::size_t events = own.size();
    std::size_t bytes = own.bytes();
    std::erase_if(row, [&](worker* next) {
        if (events >= parts_.batch_max || bytes >= parts_.batch_bytes_max || !next->may_ride()) {
            return false;
        }
        auto records = source_.fetch(next->at_.where, parts_.batch_max - events,
                                     parts_.batch_bytes_max - bytes);
        if (records.empty()) {
            return false;
        }
        events += records.size();
        bytes += records.bytes();
        next->ride_.emplace(std::move(records));
        taken.push_back(next);
        return true;
    });
    return taken;
}

/// One transaction for our events and theirs. Each alights by itself.
asio::awaitable<void> worker::drive(std::vector<worker*> others, kafka::fetched records) {
    ride_.emplace(std::move(records));
    auto all = std::move(others);
    all.push_back(this);

    // Whatever happens: nobody waits for ever.
    struct arrival {
        std::vector<worker*>& all;
        result<std::vector<batch_report>> reports = fail(error_kind::internal, "inbox-ride");

        explicit arrival(std::vector<worker*>& who) : all(who) {}

        arrival(const arrival&) = delete;
        arrival& operator=(const arrival&) = delete;

        ~arrival() {
            for (std::size_t i = 0; i < all.size(); ++i) {
                auto& outcome = all[i]->ride_->outcome;
                if (reports) {
                    outcome.emplace(std::move(reports->at(i)));
                } else {
                    outcome.emplace(std::unexpected(reports.error()));
                }
                all[i]->wake();
            }
        }
    };

    arrival at_the_end(all);
    at_the_end.reports = co_await try_together(all);
}

asio::awaitable<result<std::vector<batch_report>>>
worker::try_together(const std::vector<worker*>& all) {
    std::vector<const kafka::fetched*> records;
    records.reserve(all.size());
    for (const auto* each : all) {
        records.push_back(&each->ride_->records);
    }
    const auto buffer = co_await read(std::move(records));
    auto rest = std::span<const incoming>(buffer->events());
    std::vector<batch> works;
    works.reserve(all.size());
    std::chrono::milliseconds limit{0};
    for (auto* each : all) {
        auto& on = *each->ride_;
        on.buffer = buffer;
        on.events = rest.first(on.records.size());
        rest = rest.subspan(on.records.size());
        works.push_back(each->batch_of(on.events, std::nullopt));
        limit = std::min(limit + time_for(on.events), batch_deadline_max);
    }
    std::optional<stretch> running;
    auto body = [&works, &running](pg::transaction& tx) {
        return run_batches(tx, works, running);
    };
    const auto until = std::chrono::steady_clock::now() + limit;
    const auto& first = ride_->events.front();
    note_running(0, first.record.offset(), first.event ? first.event->type : std::string(), until);
    auto reports = co_await parts_.database.transact("inbox_batch", std::move(body), until);
    running_.erase(0);
    co_return reports;
}

/// After the transaction: what became of our events. If it failed, they go alone.
asio::awaitable<void> worker::alight() {
    const auto done = *std::exchange(ride_, std::nullopt);
    if (*done.outcome) {
        settle(done.events, std::nullopt, **done.outcome);
        co_await register_waits((*done.outcome)->waiting);
    } else if (!stopping_) {
        const auto turn = co_await parts_.lanes.enter(lane_);
        co_await handle(done.events, std::nullopt);
    }
    if (due_unknown_ && !stopping_) {
        co_await refresh_due();
    }
}

} // namespace relais::inbox
