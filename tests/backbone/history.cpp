#include "backbone/history.hpp"

#include "async/failpoint.hpp"
#include "backbone/messages.hpp"
#include "outbox/outbox.hpp"
#include "timers/timers.hpp"

#include <ios>
#include <set>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::backbone {
namespace {

constexpr const char* on_purpose = "rolled-back-on-purpose";
constexpr const char* timer_kind = "chaos";

event_id append_next(pg::transaction& tx, const std::string& key) {
    const auto drawn = tx.exec("insert into key_counter as c (key, n) values ($1, 1)"
                               " on conflict (key) do update set n = c.n + 1 returning n",
                               {key});
    const auto event = make_event(key, drawn.front().integer(0));
    outbox::append(tx, event);
    tx.exec("insert into written (key, n, event_id) values ($1, $2, $3)",
            {key, drawn.front().integer(0), event.id});
    return event.id;
}

/// The database's time: the node's clock may be wrong by hours on purpose, and a timer that is due
/// in hours would never be seen to fire.
timestamp time_of(pg::transaction& tx) {
    return tx.exec("select now()").front().time(0);
}

void plan_new(pg::transaction& tx, timestamp due) {
    const auto id = "timer-" + make_uuid_v7().text();
    timers::schedule(tx, {.id = id, .kind = timer_kind, .due_at = due});
    tx.exec("insert into planned (timer_id, due_at, cancelled) values ($1, $2, false)", {id, due});
}

/// A timer that is still there, locked: it cannot fire meanwhile.
std::optional<std::string> lock_one(pg::transaction& tx) {
    const auto found = tx.exec("select id from timer where kind = $1 and due_at > now()"
                               " order by due_at desc limit 1 for update skip locked",
                               {timer_kind});
    return found.empty() ? std::nullopt : std::optional(found.front().text(0));
}

} // namespace

history_writer::history_writer(const options& given, pg::pool& database)
    : database_(database), keys_(given.number("keys", 50)), batch_(given.number("batch", 10)),
      rollback_percent_(given.number("rollback-percent", 0)),
      timers_(given.number("timers", 0) != 0),
      random_(static_cast<std::uint64_t>(given.number("seed", 1))) {
    const auto file = given.text("acknowledged", "");
    if (!file.empty()) {
        acknowledged_.open(file, std::ios::app);
        if (!acknowledged_) {
            throw std::runtime_error("--acknowledged: cannot be written");
        }
    }
}

std::int64_t history_writer::below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
}

asio::awaitable<result<void>> history_writer::write() {
    std::set<std::string> chosen; // in one order, so that two writers cannot wait for each other
    for (std::int64_t i = below(batch_); i >= 0; --i) {
        chosen.insert("k-" + std::to_string(below(keys_)));
    }
    const bool give_up = below(100) < rollback_percent_;
    const auto timer = timers_ ? below(8) : 8;
    std::vector<event_id> appended;
    auto body = [&](pg::transaction& tx) -> result<void> {
        appended.clear();
        for (const auto& key : chosen) {
            appended.push_back(append_next(tx, key));
        }
        plan_some(tx, timer);
        if (give_up) {
            return fail(error_kind::invalid, on_purpose, "");
        }
        async::failpoint("writer.before_commit");
        return {};
    };
    auto done = co_await database_.transact("history", body);
    async::failpoint("writer.after_commit");
    if (!done && done.error().slug == on_purpose) {
        ++rolled_back_;
        co_return result<void>();
    }
    if (done) {
        acknowledge(appended);
    }
    co_return done;
}

/// Told to the operating system before anything else happens, so that kill -9 forgets nothing.
void history_writer::acknowledge(const std::vector<event_id>& events) {
    if (!acknowledged_.is_open()) {
        return;
    }
    std::string lines;
    for (const auto& id : events) {
        lines += id.text() + "\n";
    }
    acknowledged_ << lines << std::flush;
}

/// which: 0–3 plan a new timer, 4 moves one, 5 cancels one, the rest does nothing.
void history_writer::plan_some(pg::transaction& tx, std::int64_t which) {
    if (which <= 3) {
        plan_new(tx, time_of(tx) + std::chrono::milliseconds(500 * which * which));
        return;
    }
    const auto id = which <= 5 ? lock_one(tx) : std::nullopt;
    if (!id) {
        return;
    }
    if (which == 4) {
        const auto due = time_of(tx) + std::chrono::seconds(2);
        timers::schedule(tx, {.id = *id, .kind = timer_kind, .due_at = due});
        tx.exec("update planned set due_at = $2 where timer_id = $1", {*id, due});
    } else if (timers::cancel(tx, *id)) {
        tx.exec("update planned set cancelled = true where timer_id = $1", {*id});
    }
}

} // namespace relais::backbone
