#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "upload/pipeline/verifier.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <set>

namespace relais::upload {

struct pipeline_settings {
    std::size_t concurrency = 2;    ///< pictures at a time in this instance
    std::chrono::seconds lease{15}; ///< after kill -9 another instance goes on within this time
    std::chrono::milliseconds look_every{2'000}; ///< when nothing wakes it
    std::chrono::milliseconds first_pause{500};  ///< after a failure, doubled each time
    std::chrono::milliseconds longest_pause{60'000};
    /// While the store is away: somebody looks at the picture's place.
    std::chrono::milliseconds longest_pause_for_store{5'000};
};

/// Claims what is to be done in upload_work and has it done, a bounded number at a time. Woken
/// after commits; looks by itself for what became due and for what other instances left behind.
/// Metrics: upload_work_active, upload_work_failures_total{error}.
class pipeline {
public:
    pipeline(pipeline_settings settings, verifier& work, pg::pool& database, const clock& time,
             boost::asio::io_context& loop, metrics::registry& metrics, log::logger logger);

    /// Until stop().
    void start();

    /// Cancels what runs (its worker process is killed) and gives the claims back.
    boost::asio::awaitable<void> stop();

    /// There may be work. On the loop's thread.
    void wake();

    /// The same for other threads: for pg::transaction::after_commit().
    std::function<void()> waker();

private:
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> renew();
    boost::asio::awaitable<void> work_on(store::work_claim claim);
    boost::asio::awaitable<std::chrono::milliseconds> claim_and_start();
    boost::asio::awaitable<void> postpone(store::work_claim claim, error why);

    pipeline_settings settings_;
    verifier& verifier_;
    pg::pool& database_;
    const clock& time_;
    boost::asio::io_context& loop_;
    metrics::registry& metrics_;
    log::logger logger_;
    uuid holder_ = make_uuid_v7(); ///< of this life of the process
    std::set<upload_id> held_;     ///< worked on right now
    bool woken_ = false;
    metrics::gauge active_;
    async::signal signal_;
    async::task_group tasks_;
};

} // namespace relais::upload
