// The pump of a relay session: repair first, then the stream.
#include "async/failpoint.hpp"
#include "async/signal.hpp"
#include "outbox/look_back.hpp"
#include "outbox/relay_session.hpp"
#include "outbox/stream_pace.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace asio = boost::asio;

namespace relais::outbox {

namespace {
/// Messages after which the loop gets its turn.
constexpr int turn = 256;
/// How long what comes may wait for what is under way.
constexpr std::chrono::milliseconds burst_longest{5};
/// Events of a repair that are sent again when it is interrupted.
constexpr int repair_batch = 100;
} // namespace

asio::awaitable<result<void>> relay_session::pump() {
    auto repaired = co_await publish_repair();
    if (!repaired) {
        co_return repaired;
    }
    streaming_ = true;
    with_.show(relay::state::streaming);
    for (int count = 1;; ++count) {
        const auto message = stream_->take_message();
        if (!message) {
            co_return std::unexpected(message.error().as_error());
        }
        if (!*message) {
            co_await wait_for_more();
            continue;
        }
        auto handled = co_await handle(**message);
        if (!handled) {
            co_return handled;
        }
        if (count % turn == 0) {
            co_await asio::post(with_.loop, asio::use_awaitable);
        }
    }
}

/// What comes while records are under way goes with those that follow it, for a short time: a
/// record alone costs Kafka as much as many of a partition together. With nothing under way,
/// nothing waits, unless very much comes (next_portion_after).
asio::awaitable<void> relay_session::wait_for_more() {
    co_await publisher_->rest(burst_at_ + burst_longest);
    const portion read{.transactions = std::exchange(burst_transactions_, 0),
                       .took = std::chrono::steady_clock::now() - burst_at_};
    co_await publisher_->pause(burst_at_ + next_portion_after(read));
    heard_ = std::chrono::steady_clock::now();
    reading_ = true;
    co_await stream_->wait_for_input();
    reading_ = false;
    burst_at_ = std::chrono::steady_clock::now();
}

/// Events from before the slot, from the table. Their positions lie before every position of the
/// stream and are the same when this is interrupted and done again.
asio::awaitable<result<void>> relay_session::publish_repair() {
    const auto topics = co_await repair_topics(*sql_);
    if (!topics) {
        co_return std::unexpected(topics.error().as_error());
    }
    if (topics->empty()) {
        co_return result<void>();
    }
    std::unordered_set<event_id> known;
    if (progress_.repair_since) {
        // Whoever still publishes under the epoch before adds nothing any more after this.
        co_await async::sleep_for(lease::lasts);
        known = co_await look_back({.broker = with_.settings.producer,
                                    .service = with_.settings.service,
                                    .topics = *topics,
                                    .since = *progress_.repair_since},
                                   with_.loop, with_.registry, with_.logger);
    }
    with_.logger.info("outbox.repair", {{"epoch", progress_.epoch}, {"known", known.size()}});
    std::uint32_t after = 0;
    while (true) {
        auto rows = co_await read_repair(*sql_, after, publisher_->careful() ? 1 : repair_batch);
        if (!rows) {
            co_return std::unexpected(rows.error().as_error());
        }
        if (rows->empty()) {
            co_return result<void>();
        }
        after = rows->back().ordinal;
        auto published = co_await publish_rows(std::move(*rows), known);
        if (!published) {
            co_return published;
        }
        async::failpoint("relay.repair_published");
        const auto forgotten = co_await forget_repair(*sql_, after);
        if (!forgotten) {
            co_return std::unexpected(forgotten.error().as_error());
        }
    }
}

asio::awaitable<result<void>>
relay_session::publish_rows(std::vector<repair_row> rows,
                            const std::unordered_set<event_id>& known) {
    publisher_->begin(0, system_clock().now());
    for (auto& row : rows) {
        if (known.contains(row.id)) {
            continue;
        }
        publisher_->set_index(row.ordinal);
        auto sent = co_await send(std::move(row.event));
        if (!sent) {
            co_return sent;
        }
        with_.metrics.repaired.increment();
    }
    publisher_->commit(0); // position 0: the stream has not been touched yet
    auto settled = co_await publisher_->settle();
    co_return settled;
}

asio::awaitable<result<void>> relay_session::handle(const std::string& message) {
    const auto decoded = decode_server_message(message);
    if (!decoded) {
        co_return fail(decoded);
    }
    if (const auto* alive = std::get_if<keepalive>(&*decoded)) {
        publisher_->mark(alive->wal_end);
        co_return alive->reply_requested ? send_status(false) : result<void>();
    }
    auto handled = co_await handle_change(std::get<wal_data>(*decoded).payload);
    co_return handled;
}

asio::awaitable<result<void>> relay_session::handle_change(std::string_view payload) {
    const auto change = pgoutput::decode(payload);
    if (!change) {
        co_return fail(change);
    }
    if (const auto* begun = std::get_if<pgoutput::begin>(&*change)) {
        publisher_->begin(begun->commit_lsn, begun->committed_at);
    } else if (const auto* row = std::get_if<pgoutput::insert>(&*change)) {
        auto record = rows_.read(*row);
        if (!record) {
            co_return fail(record);
        }
        if (*record) {
            async::failpoint("relay.after_decode");
            auto sent = co_await send(std::move(**record));
            co_return sent;
        }
    } else if (const auto* ended = std::get_if<pgoutput::commit>(&*change)) {
        publisher_->commit(ended->end_lsn);
        ++burst_transactions_;
    } else if (const auto* table = std::get_if<pgoutput::relation>(&*change)) {
        rows_.describe(*table);
    } else if (const auto* note = std::get_if<pgoutput::logical_message>(&*change)) {
        if (!note->transactional) {
            publisher_->mark(note->at);
        }
    }
    co_return result<void>();
}

} // namespace relais::outbox
