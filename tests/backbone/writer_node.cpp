#include "async/signal.hpp"
#include "backbone/history.hpp"
#include "backbone/messages.hpp"
#include "backbone/node.hpp"
#include "backbone/time_log.hpp"
#include "outbox/outbox.hpp"

#include <fmt/format.h>

#include <random>

namespace asio = boost::asio;

namespace relais::backbone {
namespace {

using steady = std::chrono::steady_clock;

/// Appends as fast as it can, or at --rate transactions a second whatever happens (open loop).
class writer {
public:
    explicit writer(node& on)
        : on_(on), database_(on.pool_settings(clients(on)), on.metrics(), on.logger()),
          commits_(on.given().text("times", "")), history_(on.given(), database_),
          keys_(on.given().number("keys", 1'000)), batch_(on.given().number("batch", 50)),
          transactions_(on.given().number("transactions", 1)), rate_(on.given().number("rate", 0)),
          with_history_(on.given().number("history", 0) != 0),
          bulk_(on.given().number("bulk", 0) != 0) {}

    void run() {
        started_ = steady::now();
        began_at_ = system_clock().now();
        for (std::size_t i = 0; i < clients(on_); ++i) {
            on_.tasks().spawn("client", client());
        }
        if (on_.given().number("slow-ms", 0) > 0) {
            on_.tasks().spawn("slow", slow_client());
        }
        on_.run();
        commits_.save();
        report();
    }

private:
    static std::size_t clients(const node& on) {
        return static_cast<std::size_t>(on.given().number("clients", 4));
    }

    asio::awaitable<void> client() {
        while (next_ < transactions_) {
            const auto index = next_++;
            auto due = steady::now();
            if (rate_ > 0) {
                due = started_ + std::chrono::microseconds(index * 1'000'000 / rate_);
                const auto wait = due - steady::now();
                if (wait > steady::duration(0)) {
                    co_await async::sleep_for(wait);
                }
            }
            co_await write(index, steady::now() - due);
        }
        if (--running_ == 0) {
            ended_ = steady::now();
            on_.done();
        }
    }

    /// `late`: how long the transaction waited for a free client; it counts as time in which
    /// its events were on their way, else a stall would hide what it held up.
    asio::awaitable<void> write(std::int64_t index, steady::duration late) {
        const auto began = steady::now();
        auto done = with_history_ ? co_await history_.write() : co_await append(index, late);
        if (!done) {
            ++failed_;
            co_await async::sleep_for(std::chrono::milliseconds(100));
            co_return;
        }
        ++committed_;
        waits_us_.push_back(
            std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began + late)
                .count());
    }

    asio::awaitable<result<void>> append(std::int64_t index, steady::duration late) {
        std::vector<events::event> all;
        for (std::int64_t i = 0; i < batch_; ++i) {
            const auto number = index * batch_ + i;
            all.push_back(bulk_ ? make_bulk_event(number)
                                : make_event("k-" + std::to_string(number % keys_), number));
        }
        auto body = [&](pg::transaction& tx) -> result<void> {
            if (bulk_) {
                outbox::append_bulk(tx, all, "campaign");
            } else {
                outbox::append(tx, all);
            }
            note(all, late);
            return {};
        };
        auto done = co_await database_.transact("append", body);
        co_return done;
    }

    void note(const std::vector<events::event>& all, steady::duration late) {
        if (!commits_.wanted()) {
            return;
        }
        // What follows is the COMMIT.
        const auto at =
            system_clock().now() - std::chrono::duration_cast<std::chrono::microseconds>(late);
        for (const auto& each : all) {
            commits_.note(each.id, at);
        }
    }

    /// A transaction each second that stays open for --slow-ms after its event was written.
    asio::awaitable<void> slow_client() {
        const double seconds = static_cast<double>(on_.given().number("slow-ms", 0)) / 1e3;
        for (std::int64_t i = 0;; ++i) {
            const auto begun = steady::now();
            std::vector<events::event> one{make_event("slow", i)};
            auto body = [&](pg::transaction& tx) -> result<void> {
                outbox::append(tx, one.front());
                tx.exec("select pg_sleep($1)", {seconds});
                note(one, steady::duration(0));
                return {};
            };
            const auto done = co_await database_.transact("slow", body);
            failed_ += done ? 0 : 1;
            co_await async::sleep_for(std::chrono::seconds(1) - (steady::now() - begun));
        }
    }

    void report() {
        std::ranges::sort(waits_us_);
        const auto at = [&](double share) {
            const auto index =
                static_cast<std::size_t>(share * static_cast<double>(waits_us_.size()));
            return waits_us_.empty() ? 0 : waits_us_[std::min(index, waits_us_.size() - 1)];
        };
        const auto took = std::chrono::duration<double>(ended_ - started_).count();
        fmt::print("{{\"began_at_us\":{},\"committed\":{},\"failed\":{},\"rolled_back\":{},"
                   "\"seconds\":{:.6f},\"wait_p50_us\":{},\"wait_p99_us\":{}}}\n",
                   began_at_.time_since_epoch().count(), committed_, failed_,
                   history_.rolled_back(), took, at(0.5), at(0.99));
    }

    node& on_;
    pg::pool database_;
    time_log commits_;
    history_writer history_;
    std::int64_t keys_;
    std::int64_t batch_;
    std::int64_t transactions_;
    std::int64_t rate_;
    bool with_history_;
    bool bulk_;
    std::int64_t next_ = 0;
    std::size_t running_ = clients(on_);
    std::int64_t committed_ = 0;
    std::int64_t failed_ = 0;
    std::vector<std::int64_t> waits_us_;
    steady::time_point started_;
    steady::time_point ended_ = steady::now();
    timestamp began_at_{};
};

} // namespace

/// --url SOURCE --transactions N [--batch N] [--keys N] [--clients N] [--rate N] [--times FILE]
/// [--slow-ms N] [--bulk 1], which stages bulk work; or with --history 1 what history_writer has.
void write_events(const options& given) {
    node on(given, "writer");
    writer(on).run();
}

} // namespace relais::backbone
