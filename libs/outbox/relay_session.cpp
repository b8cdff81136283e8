#include "outbox/relay_session.hpp"

#include "async/signal.hpp"
#include "outbox/snapshot_text.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds connect_limit{3};
constexpr std::chrono::seconds finish_limit{2};

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

pg::keywords relay_session::sql_keywords() const {
    auto given = pg::parse_connection_string(with_.settings.database_url);
    auto how = given ? std::move(*given) : pg::keywords();
    const auto name = "outbox-sql/" + with_.settings.service;
    if (!polls()) {
        return pg::with_session_defaults(std::move(how), name, {{"lock_timeout", "3s"}});
    }
    // A frozen owner loses its shards. Fresh partitions have no statistics to plan with. What
    // cannot be planned without reading a whole table costs so much on paper that each round would
    // be compiled first, for a second.
    return pg::with_session_defaults(std::move(how), name,
                                     {{"lock_timeout", "3s"},
                                      {"idle_session_timeout", "10s"},
                                      {"enable_seqscan", "off"},
                                      {"jit", "off"}});
}

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
    const auto taken = polls() ? co_await take_polling() : co_await take_slot();
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
                           .confirmed = !polls() && same_epoch() ? with_.memory.confirmed : 0,
                           .careful = with_.memory.careful},
        lease_, with_.loop, with_.registry, with_.metrics, with_.logger);
    auto ended = co_await run_tasks();
    const auto settled = co_await settle_refusal();
    co_return settled ? ended : settled.error().as_error();
}

bool relay_session::has_published(const relay::committed& what) const {
    if (!publisher_ || !streaming_) {
        return false;
    }
    if (!polls()) {
        return publisher_->confirmed() >= what.position;
    }
    return !polled_.empty() && std::ranges::all_of(polled_, [&what](const polled_shards& each) {
        return sees(each.published(), what.xid);
    });
}

asio::awaitable<error> relay_session::run_tasks() {
    using namespace asio::experimental::awaitable_operators;
    auto pumping = guarded(polls() ? poll() : pump());
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
    auto sql = co_await server_link::open(with_.loop, sql_keywords(), connect_limit);
    if (!sql) {
        co_return std::unexpected(sql.error());
    }
    sql_ = std::move(*sql);
    // First of all, because writers need the partitions even when we cannot publish.
    const auto maintained = co_await maintain_partitions(*sql_);
    if (!maintained) {
        with_.logger.warn("outbox.maintenance_failed", {{"reason", maintained.error().message}});
    }
    if (!polls()) {
        auto given = pg::parse_connection_string(with_.settings.database_url);
        auto how = given ? std::move(*given) : pg::keywords();
        how["replication"] = "database";
        // A frozen relay must not keep the slot from its successor for a minute.
        how = pg::with_session_defaults(std::move(how), "outbox-relay/" + with_.settings.service,
                                        {{"wal_sender_timeout", "10s"}});
        auto stream = co_await server_link::open(with_.loop, std::move(how), connect_limit);
        if (!stream) {
            co_return std::unexpected(stream.error());
        }
        stream_ = std::move(*stream);
    }
    auto learnt = co_await learn_refusals();
    co_return learnt;
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
    if (polls()) {
        co_await forget_delivered();
    } else {
        const auto told = send_status(false);
        static_cast<void>(told); // the stream may be what broke
    }
    show_lag();
}

} // namespace relais::outbox
