// How a relay session gets the slot, or makes it.
#include "async/signal.hpp"
#include "outbox/relay_session.hpp"

#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds start_limit{10};
constexpr std::chrono::seconds usual{5};

} // namespace

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
    // Whoever wants to change the mode need not wait for a frozen relay: its lock ends.
    const auto limited = co_await sql_->query("set idle_session_timeout = '10s'", {}, usual);
    if (!limited) {
        co_return std::unexpected(limited.error());
    }
    const auto dropped = co_await drop_other_slots(*sql_, slot_name(progress_));
    co_return dropped;
}

/// False: somebody else has it, or is making it, or publishes the other way.
asio::awaitable<link_result<bool>> relay_session::try_slot(const server_identity& server) {
    const auto shared = co_await try_lock(*sql_, mode_lock::shared);
    if (!shared || !*shared) {
        co_return shared;
    }
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
    const bool other_mode = progress_.mode != relay_mode::logical;
    const bool usable = slot->exists && !slot->lost && !moved && !other_mode;
    if (usable && !slot->active) {
        auto begun = co_await begin_stream();
        if (!begun || *begun) {
            co_return begun;
        }
    }
    const auto unlocked = co_await unlock(*sql_, mode_lock::shared);
    if (!unlocked) {
        co_return std::unexpected(unlocked.error());
    }
    if (usable) {
        co_return false;
    }
    with_.logger.warn(
        "outbox.slot_missing",
        {{"slot", name}, {"lost", slot->lost}, {"server_changed", moved}, {"polled", other_mode}});
    auto made = co_await renew_slot(server);
    co_return made;
}

/// False: look again.
asio::awaitable<link_result<bool>> relay_session::renew_slot(const server_identity& server) {
    // Nobody may publish the other way meanwhile, or begin to.
    const auto how = progress_.mode == relay_mode::polling ? mode_lock::alone : mode_lock::shared;
    const auto locked = co_await try_lock(*sql_, how);
    if (!locked || !*locked) {
        co_return locked;
    }
    const auto made = co_await make_slot(*sql_, *stream_, server);
    const auto unlocked = co_await unlock(*sql_, how);
    if (!made || !unlocked) {
        co_return std::unexpected(made ? unlocked.error() : made.error());
    }
    if (*made) {
        with_.metrics.repairs.increment();
        auto retried = co_await try_slot(server);
        co_return retried;
    }
    co_return false;
}

/// False: somebody was faster.
asio::awaitable<link_result<bool>> relay_session::begin_stream() {
    const auto name = slot_name(progress_);
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
        co_return false;
    }
    co_return std::unexpected(begun.error());
}

} // namespace relais::outbox
