#pragma once

#include "backbone/options.hpp"
#include "ids/id.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <fstream>
#include <random>
#include <vector>

namespace relais::backbone {

/// Writes events together with the truth about them: table `written` is filled in the events'
/// transaction, and n of a key is drawn under its row's lock, so that it grows in commit order.
/// Options: --keys N, --batch N (at most, a transaction), --rollback-percent N, --seed N,
/// --timers 1 (also plans, moves and cancels timers, and says so in `planned`), --acknowledged FILE
/// (gets the events of each transaction whose COMMIT was answered with success).
class history_writer {
public:
    history_writer(const options& given, pg::pool& database);

    /// One transaction, committed or rolled back on purpose. Errors: of the database.
    boost::asio::awaitable<result<void>> write();

    std::int64_t rolled_back() const {
        return rolled_back_;
    }

private:
    std::int64_t below(std::int64_t limit);
    void plan_some(pg::transaction& tx, std::int64_t which);
    void acknowledge(const std::vector<event_id>& events);

    pg::pool& database_;
    std::int64_t keys_;
    std::int64_t batch_;
    std::int64_t rollback_percent_;
    bool timers_;
    std::ofstream acknowledged_;
    std::int64_t rolled_back_ = 0;
    std::mt19937_64 random_; // NOLINT(cert-msc51-cpp): seeded, so that a run can be repeated
};

} // namespace relais::backbone
