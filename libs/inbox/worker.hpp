#pragma once

#include "async/signal.hpp"
#include "inbox/batch.hpp"
#include "inbox/event_buffers.hpp"
#include "inbox/held.hpp"
#include "inbox/inbox_metrics.hpp"
#include "inbox/lane_gate.hpp"
#include "inbox/waits.hpp"
#include "log/logger.hpp"
#include "postgres/pool.hpp"

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace relais::inbox {

/// A batch has the time of all its events, but not more than this; what is too slow for it is run
/// again alone, with its own.
inline constexpr std::chrono::milliseconds batch_deadline_max{30'000};

class worker;

/// What all partitions of an instance use.
struct shared_parts {
    boost::asio::io_context& loop;
    pg::pool& database;
    const handlers& all;
    const clock& time;
    inbox_metrics& metrics;
    log::logger logger;
    waits& waiting;
    lane_gate& lanes;
    event_buffers& buffers;
    /// By lane: workers that wait for their turn and may be taken along by one that has it.
    std::array<std::deque<worker*>, events::lane_count> rows;
    std::size_t batch_max;
    int parallel_keys;
    std::size_t batch_bytes_max;
    /// Snapshots were committed: wake who waits, whatever the partition.
    std::function<void(const std::vector<events::snapshot_need>&)> on_arrived;
    /// A held key's time changed: look at the timers again.
    std::function<void()> on_timer_changed;
};

/// Handles one partition while it is assigned to this instance. On the loop's thread; the database
/// work of one worker is one transaction at a time.
class worker {
public:
    worker(shared_parts& parts, kafka::consumer& source, std::string group,
           loaded_partition loaded);

    /// Until stop(). What is being handled is finished.
    boost::asio::awaitable<void> run();

    /// There may be records, or a held key may be due.
    void wake();
    void wake_key(const std::string& key);
    void stop();

    const kafka::topic_partition& where() const {
        return at_.where;
    }

    /// The next record that is not handled.
    std::optional<std::int64_t> position() const {
        return position_;
    }

    /// The time of the last record that was handled.
    timestamp last_time() const {
        return last_time_;
    }

    std::optional<timestamp> next_due() const {
        return next_due_;
    }

    /// Somebody else held a key (a redrive).
    void set_next_due(timestamp due);

    /// A handler that should have come back.
    struct overrun {
        std::string type; ///< of the event, or of the first of a batch
        std::int64_t offset = 0;
        std::chrono::steady_clock::duration by{0};
    };

    std::optional<overrun> overdue() const;

private:
    /// Events of ours in a transaction that others' are in, too.
    struct ride {
        kafka::fetched records;
        std::shared_ptr<event_buffer> buffer;        ///< of all that ride together
        std::span<const incoming> events;            ///< ours in it
        std::optional<result<batch_report>> outcome; ///< set by whoever took us along
    };

    boost::asio::awaitable<std::optional<lane_gate::pass>> take_turn();
    bool may_ride() const;
    std::vector<worker*> take_along(const kafka::fetched& own);
    boost::asio::awaitable<void> drive(std::vector<worker*> others, kafka::fetched records);
    boost::asio::awaitable<result<std::vector<batch_report>>>
    try_together(const std::vector<worker*>& all);
    boost::asio::awaitable<void> alight();

    boost::asio::awaitable<void> handle_some();
    boost::asio::awaitable<bool> handle(std::span<const incoming> events,
                                        std::optional<slice> part);
    boost::asio::awaitable<void> handle_slices(std::span<incoming> events);
    boost::asio::awaitable<void> handle_slice(slice part, std::vector<incoming> events,
                                              std::size_t& unfinished);
    boost::asio::awaitable<void> make_level();
    void move_to(const kafka::message& last);
    void note_all(std::span<const incoming> events);
    boost::asio::awaitable<std::shared_ptr<event_buffer>>
    read(std::vector<const kafka::fetched*> all);
    boost::asio::awaitable<result<batch_report>> try_batch(std::span<const incoming> events,
                                                           std::optional<slice> part,
                                                           std::optional<stretch>& running);
    boost::asio::awaitable<void> fail_alone(std::span<const incoming> one,
                                            std::optional<slice> part, error reason);
    void settle(std::span<const incoming> events, const std::optional<slice>& part,
                const batch_report& report);
    boost::asio::awaitable<bool> run_woken();
    boost::asio::awaitable<bool> run_due();
    boost::asio::awaitable<void> run_key(std::string key);
    boost::asio::awaitable<std::optional<held_report::state>> one_turn(const std::string& key);
    boost::asio::awaitable<result<held_report>>
    fail_attempt(const held_work& work, attempt_progress progress, error reason);
    void settle(const std::string& key, const held_report& report,
                const attempt_progress& progress);
    boost::asio::awaitable<void> register_waits(std::vector<held_key> waiting);
    boost::asio::awaitable<void> load_waits();
    boost::asio::awaitable<void> refresh_due();
    boost::asio::awaitable<void> pause_after(const error& failed);
    void note_start(std::int64_t first);
    void note_running(int slice, std::int64_t offset, const std::string& type,
                      std::chrono::steady_clock::time_point until);
    batch batch_of(std::span<const incoming> events, const std::optional<slice>& part) const;
    std::chrono::milliseconds time_for(std::span<const incoming> events) const;

    shared_parts& parts_;
    kafka::consumer& source_;
    place at_;
    bool compacted_ = false;
    events::lane lane_ = events::lane::normal;
    std::optional<std::int64_t> position_;
    std::optional<std::int64_t>
        asked_for_; ///< where reading was to begin; cleared by the first record
    std::optional<std::int64_t> reset_from_;
    int slices_ = 1;                   ///< among which events are divided now
    watermark mark_;                   ///< of all events so far; kept when there are slices
    std::optional<std::int64_t> base_; ///< the partition's next_offset, in the database
    std::size_t careful_left_ = 0;     ///< events that are parked before they are run
    timestamp last_time_{};
    std::optional<timestamp> next_due_;
    bool due_unknown_ = true;
    std::set<std::string> woken_;
    std::set<std::string> fresh_; ///< keys whose first event was parked by us, untried
    std::map<std::string, crash_count> crashes_; ///< of the first events of held keys
    unsigned outages_ = 0;                       ///< in a row

    /// What the handlers are busy with, and until when they may.
    struct in_work {
        std::string type;
        std::int64_t offset = 0;
        std::chrono::steady_clock::time_point until;
    };

    std::map<int, in_work> running_; ///< by slice
    std::optional<ride> ride_;       ///< while others' events and ours are handled together
    async::signal changed_;
    bool stopping_ = false;
};

} // namespace relais::inbox
