// How a relay session comes to poll: only one mode at a time.
#include "async/signal.hpp"
#include "outbox/relay_session.hpp"

namespace asio = boost::asio;

namespace relais::outbox {

/// Returns when this mode may publish, with the lock shared.
asio::awaitable<link_result<void>> relay_session::take_polling() {
    const auto topics = co_await save_topics(*sql_);
    if (!topics) {
        co_return topics;
    }
    while (true) {
        const auto entered = co_await try_polling();
        if (!entered) {
            co_return std::unexpected(entered.error());
        }
        if (*entered) {
            co_return link_result<void>();
        }
        with_.show(relay::state::standby);
        co_await async::sleep_for(with_.settings.standby_retry);
    }
}

/// What is not as it should be: mode and server first, the number of shards only if nobody minds.
asio::awaitable<link_result<relay_session::polling_state>> relay_session::look_at_polling() {
    const auto server = co_await identify_by_sql(*sql_);
    if (!server) {
        co_return std::unexpected(server.error());
    }
    const auto asked_at = std::chrono::steady_clock::now();
    auto state = co_await read_progress(*sql_);
    if (!state) {
        co_return std::unexpected(state.error());
    }
    progress_ = std::move(*state);
    lease_.renew(asked_at);
    const bool usable = progress_.mode == relay_mode::polling &&
                        progress_.system_id == server->system_id &&
                        progress_.timeline == server->timeline;
    co_return polling_state{*server, usable,
                            usable && progress_.shards == with_.settings.options.shards};
}

asio::awaitable<link_result<bool>> relay_session::try_polling() {
    auto state = co_await look_at_polling();
    if (!state) {
        co_return std::unexpected(state.error());
    }
    if (!state->as_wished) {
        const auto alone = co_await try_lock(*sql_, mode_lock::alone);
        if (!alone) {
            co_return alone;
        }
        if (*alone) {
            const auto entered = co_await change_to_polling();
            const auto unlocked = co_await unlock(*sql_, mode_lock::alone);
            if (!entered || !unlocked) {
                co_return std::unexpected(entered ? unlocked.error() : entered.error());
            }
        } else if (!state->usable) {
            co_return false; // somebody publishes the other way
        }
    }
    const auto shared = co_await try_lock(*sql_, mode_lock::shared);
    if (!shared || !*shared) {
        co_return shared;
    }
    state = co_await look_at_polling(); // now that nobody can change it
    if (state && state->usable) {
        co_return true;
    }
    const auto unlocked = co_await unlock(*sql_, mode_lock::shared);
    if (!state || !unlocked) {
        co_return std::unexpected(state ? unlocked.error() : state.error());
    }
    co_return false;
}

/// With the lock alone.
asio::awaitable<link_result<void>> relay_session::change_to_polling() {
    const auto state = co_await look_at_polling();
    if (!state || state->as_wished) {
        co_return state ? link_result<void>() : std::unexpected(state.error());
    }
    with_.logger.warn("outbox.polling_begins", {{"shards", with_.settings.options.shards}});
    auto entered = co_await enter_polling(*sql_, with_.settings.options.shards, state->server);
    if (!entered) {
        co_return entered;
    }
    with_.metrics.repairs.increment();
    const auto dropped = co_await drop_other_slots(*sql_, "");
    if (!dropped) { // the next one tries again; the server's limit holds until then
        with_.logger.warn("outbox.slot_stays", {{"reason", dropped.error().message}});
    }
    co_return entered;
}

} // namespace relais::outbox
