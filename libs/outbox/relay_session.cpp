#include "outbox/relay_session.hpp"

#include "async/signal.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds connect_limit{3};
constexpr std::chrono::seconds start_limit{10};
constexpr std::chrono::seconds finish_limit{2};

pg::keywords link_keywords(const relay_settings& settings, bool replication) {
    auto given = pg::parse_connection_string(settings.database_url);
    auto how = given ? std::move(*given) : pg::keywords();
    if (replication) {
        how["replication"] = "database";
        // A frozen relay must not keep the slot from its successor for a minute.
        return pg::with_session_defaults(std::move(how), "outbox-relay/" + settings.service,
                                         {{"wal_sender_timeout", "10s"}});
    }
    return pg::with_session_defaults(std::move(how), "outbox-sql/" + settings.service,
                                     {{"lock_timeout", "3s"}});
}

/// An exception is a bug, but it must end the session, not leave its siblings running alone.
asio::awaitable<result<void>> guarded(asio::awaitable<result<void>> task) {
    try {
        auto outcome = co_await std::move(task);
        co_return outcome;
    } catch (const boost::system::system_error&) {
        throw; // cancelled
    } catch (const std::exception& thrown) {
        co_return fail(error_kind::internal, "outbox-relay-exception", thrown.what());
    }
}

} // namespace

asio::awaitable<error> relay_session::run() {
    with_.show(relay::state::starting);
    const auto connected = co_await connect();
    if (!connected) {
        co_return connected.error().as_error();
    }
    const auto right = co_await check_topics();
    if (!right) {
        co_return right.error();
    }
    const auto taken = co_await take_slot();
    if (!taken) {
        co_return taken.error().as_error();
    }
    const auto learnt = co_await learn_refusals();
    if (!learnt) {
        co_return learnt.error().as_error();
    }
    publisher_ = std::make_unique<publisher>(
        publisher_settings{.producer = with_.settings.producer,
                           .source = fmt::format("{}:{}", with_.settings.service, progress_.epoch),
                           .confirmed = same_epoch() ? with_.memory.confirmed : 0,
                           .careful = with_.memory.careful},
        lease_, with_.loop, with_.registry, with_.metrics, with_.logger);
    auto ended = co_await run_tasks();
    const auto settled = co_await settle_refusal();
    co_return settled ? ended : settled.error().as_error();
}

asio::awaitable<error> relay_session::run_tasks() {
    using namespace asio::experimental::awaitable_operators;
    auto pumping = guarded(pump());
    auto ticking = guarded(tick());
    auto keeping = guarded(keep_house());
    auto checking = guarded(keep_checking());
    const auto first = co_await (std::move(pumping) || std::move(ticking) || std::move(keeping) ||
                                 std::move(checking));
    const auto ended = std::visit([](const result<void>& each) { return each; }, first);
    co_return ended ? error{error_kind::internal, "outbox-relay-ended", "", "", std::nullopt}
                    : ended.error();
}

asio::awaitable<link_result<void>> relay_session::connect() {
    auto sql =
        co_await server_link::open(with_.loop, link_keywords(with_.settings, false), connect_limit);
    if (!sql) {
        co_return std::unexpected(sql.error());
    }
    sql_ = std::move(*sql);
    // First of all, because writers need the partitions even when we cannot publish.
    const auto maintained = co_await maintain_partitions(*sql_);
    if (!maintained) {
        with_.logger.warn("outbox.maintenance_failed", {{"reason", maintained.error().message}});
    }
    auto stream =
        co_await server_link::open(with_.loop, link_keywords(with_.settings, true), connect_limit);
    if (!stream) {
        co_return std::unexpected(stream.error());
    }
    stream_ = std::move(*stream);
    auto learnt = co_await learn_refusals();
    co_return learnt;
}

/// Returns when the stream has begun; until then other instances have the slot.
asio::awaitable<link_result<void>> relay_session::take_slot() {
    const auto server = co_await identify(*stream_);
    if (!server) {
        co_return std::unexpected(server.error());
    }
    while (true) {
        const auto taken = co_await try_slot(*server);
        if (!taken) {
            co_return std::unexpected(taken.error());
        }
        if (*taken) {
            break;
        }
        with_.show(relay::state::standby);
        co_await async::sleep_for(with_.settings.standby_retry);
    }
    const auto dropped = co_await drop_other_slots(*sql_, slot_name(progress_));
    co_return dropped;
}

/// False: somebody else has it, or is making it.
asio::awaitable<link_result<bool>> relay_session::try_slot(const server_identity& server) {
    const auto asked_at = std::chrono::steady_clock::now();
    auto state = co_await read_progress(*sql_);
    if (!state) {
        co_return std::unexpected(state.error());
    }
    progress_ = std::move(*state);
    lease_.renew(asked_at);
    const auto name = slot_name(progress_);
    const auto slot = co_await look_at_slot(*sql_, name);
    if (!slot) {
        co_return std::unexpected(slot.error());
    }
    const bool moved =
        progress_.system_id != server.system_id || progress_.timeline != server.timeline;
    if (!slot->exists || slot->lost || moved) {
        with_.logger.warn("outbox.slot_missing",
                          {{"slot", name}, {"lost", slot->lost}, {"server_changed", moved}});
        auto made = co_await make_slot(*sql_, *stream_, server);
        if (!made) {
            co_return std::unexpected(made.error());
        }
        if (*made) {
            with_.metrics.repairs.increment();
            auto retried = co_await try_slot(server);
            co_return retried;
        }
        co_return false;
    }
    if (slot->active) {
        co_return false;
    }
    const lsn start = same_epoch() ? with_.memory.confirmed : 0;
    const auto begun = co_await stream_->start_streaming(
        fmt::format("START_REPLICATION SLOT \"{}\" LOGICAL {} (proto_version '1',"
                    " publication_names 'relais_outbox', binary 'true', messages 'true')",
                    name, to_text(start)),
        start_limit);
    if (begun) {
        heard_ = std::chrono::steady_clock::now();
        with_.logger.info("outbox.streaming", {{"slot", name}, {"from", to_text(start)}});
        co_return true;
    }
    if (begun.error().sqlstate == "55006") {
        co_return false; // somebody was faster
    }
    co_return std::unexpected(begun.error());
}

asio::awaitable<void> relay_session::finish() {
    using namespace asio::experimental::awaitable_operators;
    if (!publisher_) {
        co_return;
    }
    const auto until = std::chrono::steady_clock::now() + finish_limit;
    while (publisher_->outstanding() > 0 && !publisher_->failed() &&
           std::chrono::steady_clock::now() < until) {
        co_await publisher_->changed().wait_for(std::chrono::milliseconds(100));
    }
    with_.memory.confirmed = same_epoch()
                                 ? std::max(publisher_->confirmed(), with_.memory.confirmed)
                                 : publisher_->confirmed();
    with_.memory.epoch = progress_.epoch;
    const auto told = send_status(false);
    static_cast<void>(told); // the stream may be what broke
    show_lag();
}

} // namespace relais::outbox
