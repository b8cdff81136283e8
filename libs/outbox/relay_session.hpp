#pragma once

#include "outbox/event_rows.hpp"
#include "outbox/lease.hpp"
#include "outbox/polled_shards.hpp"
#include "outbox/polling_store.hpp"
#include "outbox/progress.hpp"
#include "outbox/publisher.hpp"
#include "outbox/refusal_store.hpp"
#include "outbox/relay.hpp"
#include "outbox/repair.hpp"

namespace relais::outbox {

/// What a relay remembers from one session to the next: with it, less is sent twice after the
/// database connection broke.
struct relay_memory {
    std::uint64_t epoch = 0;
    lsn confirmed = 0;
    bool partitions_checked = false;         ///< the broker's topics are as the topics file says
    bool careful = false;                    ///< an event was refused: find out which
    std::optional<refusal_of_event> blocked; ///< as in the table
    /// Topics for which events were refused because the broker does not have them. Only filled when
    /// refused events are diverted.
    std::set<std::string> missing_topics;
};

/// One connection of the relay to the database and what goes over it, from waiting for the slot to
/// the first failure. Four coroutines: the pump (repair, then the stream or polling), the ticker
/// (confirmations, silence), the housekeeper (lease, progress, partitions, metrics), and a look at
/// the broker's topics.
class relay_session {
public:
    struct surroundings {
        const relay_settings& settings;
        boost::asio::io_context& loop;
        metrics::registry& registry;
        const relay_metrics& metrics;
        const log::logger& logger;
        relay_memory& memory;
        std::function<void(relay::state)> show;
    };

    explicit relay_session(surroundings with) : with_(std::move(with)) {}

    /// Returns what ended it.
    boost::asio::awaitable<error> run();

    /// After run(): waits a moment for what is in flight, and confirms it.
    boost::asio::awaitable<void> finish();

    /// Whether the stream had begun: then the next session need not hold back.
    bool streamed() const {
        return streaming_;
    }

    /// As relay::has_published().
    bool has_published(const relay::committed& what) const;

private:
    /// Whether what is remembered belongs to the epoch at hand.
    bool same_epoch() const {
        return with_.memory.epoch == progress_.epoch;
    }

    boost::asio::awaitable<error> run_tasks();
    boost::asio::awaitable<link_result<void>> connect();
    boost::asio::awaitable<link_result<void>> take_slot();
    boost::asio::awaitable<link_result<bool>> try_slot(const server_identity& server);
    boost::asio::awaitable<link_result<bool>> renew_slot(const server_identity& server);
    boost::asio::awaitable<link_result<bool>> begin_stream();

    pg::keywords sql_keywords() const;

    struct polling_state {
        server_identity server;
        bool usable = false;    ///< mode and server are right
        bool as_wished = false; ///< and the number of shards
    };

    boost::asio::awaitable<link_result<void>> take_polling();
    boost::asio::awaitable<link_result<bool>> try_polling();
    boost::asio::awaitable<link_result<polling_state>> look_at_polling();
    boost::asio::awaitable<link_result<void>> change_to_polling();
    boost::asio::awaitable<result<void>> poll();
    boost::asio::awaitable<result<void>> repair_alone();
    boost::asio::awaitable<result<void>> take_more_shards();
    boost::asio::awaitable<result<void>> replay(std::vector<int> shards);
    boost::asio::awaitable<result<void>> send_assigned(std::vector<assigned_event> events, lsn end);
    boost::asio::awaitable<result<std::size_t>> poll_once();
    boost::asio::awaitable<result<std::size_t>> take_round(polled_shards& of);
    boost::asio::awaitable<link_result<void>> save_polled();
    boost::asio::awaitable<void> forget_delivered();

    bool polls() const {
        return with_.settings.options.mode == relay_mode::polling;
    }

    boost::asio::awaitable<result<void>> pump();
    boost::asio::awaitable<void> wait_for_more();
    boost::asio::awaitable<result<void>> publish_repair();
    boost::asio::awaitable<result<void>> publish_rows(std::vector<repair_row> rows,
                                                      const std::unordered_set<event_id>& known);
    boost::asio::awaitable<result<void>> send(outgoing event);
    boost::asio::awaitable<result<void>> handle(const std::string& message);
    boost::asio::awaitable<result<void>> handle_change(std::string_view payload);

    boost::asio::awaitable<result<void>> tick();
    result<void> send_status(bool ask_reply);
    void show_lag();

    boost::asio::awaitable<result<void>> check_topics();
    boost::asio::awaitable<result<void>> keep_checking();
    boost::asio::awaitable<void> find_made_topics();

    boost::asio::awaitable<link_result<void>> learn_refusals();
    boost::asio::awaitable<link_result<void>> settle_refusal();
    boost::asio::awaitable<link_result<void>> write_down(refusal_of_event what);
    boost::asio::awaitable<link_result<void>> leave_behind(refusal_of_event what);
    boost::asio::awaitable<link_result<void>> look_whether_blocked();

    boost::asio::awaitable<result<void>> keep_house();
    boost::asio::awaitable<result<void>> renew_lease();
    boost::asio::awaitable<link_result<void>> save_progress();
    boost::asio::awaitable<link_result<void>> measure();

    surroundings with_;
    std::unique_ptr<server_link> sql_;
    std::unique_ptr<server_link> stream_;
    progress progress_;
    event_rows rows_;
    lease lease_;
    std::vector<polled_shards> polled_;
    lsn forgotten_ = 0;                    ///< polled and delivered up to here, and no row is left
    std::set<std::uint64_t> diverted_;     ///< numbers of events that are not to be published
    std::unique_ptr<publisher> publisher_; // last: its reports use the rest
    bool streaming_ = false;               ///< repaired, on the stream
    bool reading_ = false;                 ///< waiting for the server, not for the broker
    std::chrono::steady_clock::time_point heard_{};
    std::chrono::steady_clock::time_point burst_at_{}; ///< when the stream last brought something
    int burst_transactions_ = 0;                       ///< since then
    lsn status_sent_ = 0;
    std::size_t unpublished_ = 0;  ///< counted in the table while the broker does not answer
    std::optional<moment> moment_; ///< waits until everything up to it is confirmed
    std::uint64_t moments_done_ = 0;
};

} // namespace relais::outbox
