#include "backbone/messages.hpp"
#include "backbone/node.hpp"
#include "backbone/time_log.hpp"
#include "inbox/consumer.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "relais/marketing/v1/campaign_requests.pb.h"

#include <boost/asio/awaitable.hpp>
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;

namespace relais::backbone {
namespace {

using market::v1::JobPublished;
using marketing::v1::CampaignRequested;

/// Which events fail, and how often: decided by their ids, so that a run can be repeated.
class failures {
public:
    explicit failures(const options& given)
        : retriable_percent_(given.number("retriable-percent", 0)),
          forever_percent_(given.number("forever-percent", 0)) {}

    result<void> operator()(const events::event& event, std::uint32_t attempt) const {
        const auto hash = std::hash<event_id>()(event.id);
        const auto share = static_cast<std::int64_t>(hash % 100);
        if (share < forever_percent_ && (hash >> 40U) % 2 == 0) {
            return fail(error_kind::unavailable, "not-in-time", "asked to fail each time");
        }
        if (share < forever_percent_) {
            return fail(error_kind::invalid, "never", "asked to fail for good");
        }
        const auto times = 1 + (hash >> 32U) % 2;
        if (share < forever_percent_ + retriable_percent_ && attempt <= times) {
            return fail(error_kind::unavailable, "not-yet", "asked to fail");
        }
        return {};
    }

private:
    std::int64_t retriable_percent_;
    std::int64_t forever_percent_;
};

std::int64_t peak_memory_kb() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with("VmHWM:")) {
            return std::stoll(line.substr(6));
        }
    }
    return 0;
}

/// Writes effects, one statement an event or one for many; or nothing.
class effect_handler {
public:
    explicit effect_handler(const options& given)
        : group_(given.text("group")), fails_(given), times_(given.text("times", "")) {}

    result<void> handle_nothing(pg::transaction&, const JobPublished&, const inbox::context&) {
        count(1);
        return {};
    }

    result<void> handle_one(pg::transaction& tx, const JobPublished& job,
                            const inbox::context& about) {
        tx.exec("insert into effects (key, n, event_id, consumer_group, attempt)"
                " values ($1, $2, $3, $4, $5)",
                {job.job_id(), number_of(job.category()), about.event.id, group_, about.attempt});
        note_commit(tx, {about.event.id});
        count(1);
        return fails_(about.event, about.attempt);
    }

    /// Bulk work: an effect each, one statement for many.
    result<void> handle_bulk(pg::transaction& tx,
                             std::span<const inbox::delivery<CampaignRequested>> all) {
        std::vector<std::string> keys;
        std::vector<std::string> ids;
        for (const auto& each : all) {
            keys.push_back(each.message.campaign_id());
            ids.push_back(each.about.event.id.text());
        }
        using pg::parameter;
        tx.exec("insert into effects (key, n, event_id, consumer_group, attempt)"
                " select k, 0, e, $1, 1 from unnest($2::text[], $3::uuid[]) as u (k, e)",
                {group_, parameter::array(keys), parameter::array(ids)});
        return {};
    }

    result<void> handle_batch(pg::transaction& tx,
                              std::span<const inbox::delivery<JobPublished>> all) {
        std::vector<std::string> keys;
        std::vector<std::string> numbers;
        std::vector<std::string> texts;
        std::vector<std::string> attempts;
        std::vector<event_id> ids;
        for (const auto& each : all) {
            keys.push_back(each.message.job_id());
            numbers.push_back(each.message.category());
            texts.push_back(each.about.event.id.text());
            attempts.push_back(std::to_string(each.about.attempt));
            ids.push_back(each.about.event.id);
        }
        using pg::parameter;
        tx.exec("insert into effects (key, n, event_id, consumer_group, attempt)"
                " select k, n, e, $1, a from"
                " unnest($2::text[], $3::bigint[], $4::uuid[], $5::int[]) as u (k, n, e, a)",
                {group_, parameter::array(keys), parameter::array(numbers), parameter::array(texts),
                 parameter::array(attempts)});
        note_commit(tx, std::move(ids));
        count(static_cast<std::int64_t>(all.size()));
        for (const auto& each : all) {
            auto done = fails_(each.about.event, each.about.attempt);
            if (!done) {
                return done;
            }
        }
        return {};
    }

    void report() const {
        times_.save();
        fmt::print("{{\"handled\":{},\"first_at_us\":{},\"last_at_us\":{},\"peak_kb\":{}}}\n",
                   handled_.load(), first_us_.load(), last_us_.load(), peak_memory_kb());
    }

private:
    void note_commit(pg::transaction& tx, std::vector<event_id> ids) {
        if (times_.wanted()) {
            tx.after_commit([this, all = std::move(ids)] {
                const auto at = system_clock().now();
                for (const auto& id : all) {
                    times_.note(id, at);
                }
            });
        }
    }

    void count(std::int64_t events) {
        const auto now = system_clock().now().time_since_epoch().count();
        if (handled_.fetch_add(events) == 0) {
            first_us_ = now;
        }
        last_us_ = now;
    }

    std::string group_;
    failures fails_;
    time_log times_;
    // Several partitions are handled at a time, on database threads.
    std::atomic<std::int64_t> handled_ = 0;
    std::atomic<std::int64_t> first_us_ = 0;
    std::atomic<std::int64_t> last_us_ = 0;
};

void register_handler(inbox::consumer& consumer, effect_handler& handler, const std::string& kind,
                      bool with_bulk) {
    const inbox::policy quick{.curve = inbox::curve::constant,
                              .first = std::chrono::milliseconds(50),
                              .attempts_max = 12};
    if (kind == "batch") {
        consumer.on_batch<JobPublished>(quick,
                                        std::bind_front(&effect_handler::handle_batch, &handler));
    } else if (kind == "noop") {
        consumer.on<JobPublished>(quick,
                                  std::bind_front(&effect_handler::handle_nothing, &handler));
    } else if (kind == "one") {
        consumer.on<JobPublished>(quick, std::bind_front(&effect_handler::handle_one, &handler));
    } else {
        throw std::runtime_error("--handler: one, batch or noop");
    }
    if (with_bulk) {
        consumer.on_batch<CampaignRequested>(
            quick, std::bind_front(&effect_handler::handle_bulk, &handler));
    }
}

/// Reports what became of it, and what it had to wait for.
asio::awaitable<void> replay_live(node& on, inbox::consumer& consumer, std::string name) {
    std::set<std::string> waited_for;
    auto note = [&waited_for](const inbox::replayed*, const inbox::replay_progress& now) {
        if (!now.waits_for.empty()) {
            waited_for.emplace(now.waits_for);
        }
    };
    const auto done = co_await consumer.replay(
        {.topic = topic_name, .name = std::move(name), .live = true, .by = "chaos"}, note);
    if (!done) {
        throw std::runtime_error(done.error().slug + ": " + done.error().detail);
    }
    fmt::print("{{\"done\":{},\"skipped\":{},\"failed\":{},\"waited_for\":\"{}\"}}\n", done->done,
               done->skipped, done->failed, fmt::join(waited_for, " "));
    on.done();
}

} // namespace

/// --url SINK --brokers LIST --prefix TEXT --group NAME [--instance NAME] [--handler
/// one|batch|noop]
/// [--batch-max N] [--parallel-keys N] [--connections N] [--retriable-percent N]
/// [--forever-percent N] [--times FILE] [--bulk 1] [--replay NAME: a live replay of all, then end]
void consume_events(const options& given) {
    node on(given, "consumer");
    pg::pool database(on.pool_settings(static_cast<std::size_t>(given.number("connections", 3))),
                      on.metrics(), on.logger());
    inbox::consumer consumer(
        {.brokers = given.text("brokers"),
         .group = given.text("group"),
         .instance = given.text("instance", ""),
         .batch_max = static_cast<std::size_t>(given.number(
             "batch-max", static_cast<std::int64_t>(inbox::consumer_settings().batch_max))),
         .parallel_keys = static_cast<int>(given.number("parallel-keys", 1)),
         .topic_prefix = given.text("prefix"),
         .session_timeout = std::chrono::milliseconds(given.number("session-ms", 6'000))},
        database, on.loop(), on.metrics(), on.logger());
    effect_handler handler(given);
    register_handler(consumer, handler, given.text("handler", "one"), given.number("bulk", 0) != 0);
    const auto replayed = given.text("replay", "");
    if (!replayed.empty()) {
        on.tasks().spawn("replay", replay_live(on, consumer, replayed));
        on.run();
        return;
    }
    on.tasks().spawn("inbox", consumer.run());
    on.run();
    handler.report();
}

} // namespace relais::backbone
