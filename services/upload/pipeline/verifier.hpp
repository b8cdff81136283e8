#pragma once

#include "async/worker_pool.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "objectstore/store.hpp"
#include "postgres/pool.hpp"
#include "upload/domain/upload.hpp"
#include "upload/pipeline/picture_workers.hpp"
#include "upload/store/work.hpp"

#include <functional>
#include <string>
#include <vector>

namespace relais::upload {

struct bucket_names {
    std::string staging;
    std::string media;
};

/// Carries one upload from state to state as far as it goes now: asks the store whether the object
/// is there, reads and checks it, has its variants made, stores them, says ready or rejected,
/// clears the staging area. Every step can be repeated: keys are immutable and arrows are guarded,
/// so that after a crash anywhere the next claim goes on from the state in the database. Metrics:
/// upload_transitions_total{state}, upload_rejected_total{reason}, upload_events_missed_total.
class verifier {
public:
    struct parts {
        pg::pool& database;
        objectstore::store& objects;
        picture_workers& pictures;
        async::worker_pool& hashing; ///< for what takes milliseconds of CPU
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        bucket_names buckets;
        int tries_max = 5; ///< of one picture, then it is refused: crashes of ours count too
    };

    explicit verifier(parts with);

    /// Until nothing is left to do now. Errors are those of the database, the store and the picture
    /// workers; the caller tries again later.
    boost::asio::awaitable<result<void>> advance(store::work_claim claim);

private:
    struct finding {
        std::string reason; ///< why not, or empty
        std::string sha256;
        std::vector<variant> variants;
    };

    using arrow = std::function<bool(pg::transaction&)>;

    boost::asio::awaitable<result<upload_record>> load(upload_id id);
    /// One step on; false: the state did not change by us.
    boost::asio::awaitable<result<bool>> step(upload_record value, int tries);
    boost::asio::awaitable<result<bool>> observe(upload_record value);
    boost::asio::awaitable<result<bool>> begin(upload_id id);
    boost::asio::awaitable<result<bool>> verify(upload_record value, int tries);
    boost::asio::awaitable<result<finding>> inspect(upload_record value);
    boost::asio::awaitable<result<finding>> examine(upload_record value, std::string bytes);
    boost::asio::awaitable<result<std::vector<variant>>>
    keep_variants(upload_record value, std::string sha256, std::vector<made_variant> made);
    boost::asio::awaitable<result<bool>> reject(upload_record value, std::string reason);
    boost::asio::awaitable<result<bool>> accept(upload_record value, finding found);
    boost::asio::awaitable<result<bool>> expire(upload_record value);
    boost::asio::awaitable<result<bool>> change(std::string query, upload_state to, arrow body);
    boost::asio::awaitable<result<void>> clear(upload_record value, store::work_claim claim);
    boost::asio::awaitable<result<void>> drop(store::work_claim claim);

    metrics::counter transitions_to(upload_state state);

    parts with_;
    metrics::counter events_missed_;
};

} // namespace relais::upload
