#include "clock/clock.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "http/json_writer.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>

namespace asio = boost::asio;

namespace relais::ctl {
namespace {

constexpr std::chrono::milliseconds broker_timeout{10'000};
/// How long the first records that wait are looked for.
constexpr std::chrono::seconds look_limit{10};

/// A partition of a consumer, as its database and the broker have it.
struct partition_lag {
    std::string service;
    std::string group;
    kafka::topic_partition where;
    std::int64_t next = 0; ///< the first offset that is not handled
    std::int64_t end = 0;
    std::int64_t held_keys = 0;
    std::optional<timestamp> oldest; ///< the broker's time of the first record that waits

    std::int64_t records() const {
        return std::max<std::int64_t>(end - next, 0);
    }

    double seconds(timestamp now) const {
        return oldest ? std::max(0.0, std::chrono::duration<double>(now - *oldest).count()) : 0.0;
    }
};

std::vector<partition_lag> read_positions(pg::transaction& tx, const std::string& service) {
    std::vector<partition_lag> all;
    const auto found = tx.exec("select consumer_group, topic, partition, coalesce(next_offset, 0),"
                               " held_keys from inbox_watermark order by 1, 2, 3");
    for (const auto& row : found) {
        partition_lag each{.service = service, .group = row.text(0)};
        each.where = {row.text(1), static_cast<std::int32_t>(row.integer(2))};
        each.next = row.integer(3);
        each.held_keys = row.integer(4);
        all.push_back(std::move(each));
    }
    return all;
}

/// Adds the ends. What was deleted before it was read does not wait any more.
result<void> add_ends(kafka::admin& broker, std::vector<partition_lag>& all) {
    std::map<std::string, std::vector<kafka::offset_range>> known;
    for (auto& each : all) {
        auto ranges = known.find(each.where.topic);
        if (ranges == known.end()) {
            auto asked = broker.offsets(each.where.topic);
            if (!asked) {
                return fail(asked);
            }
            ranges = known.emplace(each.where.topic, *std::move(asked)).first;
        }
        const auto range = std::ranges::find(ranges->second, each.where.partition,
                                             &kafka::offset_range::partition);
        if (range != ranges->second.end()) {
            each.end = range->next;
            each.next = std::max(each.next, range->first);
        }
    }
    return {};
}

asio::awaitable<void> look_at_first(kafka::consumer& source, std::vector<partition_lag*> waiting) {
    const auto until = std::chrono::steady_clock::now() + look_limit;
    while (!waiting.empty() && std::chrono::steady_clock::now() < until) {
        std::erase_if(waiting, [&source](partition_lag* each) {
            const auto records = source.take(each->where, 1, 1);
            if (!records.empty()) {
                each->oldest = records.front().time;
            }
            return !records.empty();
        });
        if (!waiting.empty()) {
            co_await source.wait();
        }
    }
}

/// When the first waiting record of each partition came, by reading it. Two groups may stand in one
/// partition at different places, so each group is looked at by itself.
void add_times(const std::string& brokers, std::vector<partition_lag>& all) {
    std::map<std::string, std::vector<partition_lag*>> by_group;
    for (auto& each : all) {
        if (each.records() > 0) {
            by_group[each.group].push_back(&each);
        }
    }
    for (auto& [group, waiting] : by_group) {
        asio::io_context loop(1);
        metrics::registry metrics;
        kafka::consumer source({.brokers = brokers, .client_id = "relaisctl", .group = "relaisctl"},
                               loop, metrics, {});
        std::vector<kafka::partition_start> starts;
        for (const auto* each : waiting) {
            starts.push_back({each->where, each->next});
        }
        source.assign(starts);
        asio::co_spawn(loop, look_at_first(source, waiting),
                       [&loop](const std::exception_ptr& thrown) {
                           loop.stop();
                           if (thrown) {
                               std::rethrow_exception(thrown);
                           }
                       });
        loop.run();
    }
}

void print_text(const std::vector<partition_lag>& all, bool idle_too, timestamp now) {
    std::int64_t records = 0;
    std::int64_t held = 0;
    for (const auto& each : all) {
        records += each.records();
        held += each.held_keys;
        if (idle_too || each.records() > 0 || each.held_keys > 0) {
            fmt::print("{:<18} {:<32} {:>3}  next {:>10}  end {:>10}  lag {:>8} {:>9.1f} s  {} "
                       "held keys\n",
                       each.group, each.where.topic, each.where.partition, each.next, each.end,
                       each.records(), each.seconds(now), each.held_keys);
        }
    }
    fmt::print("{} records wait in {} partitions, {} keys are held\n", records, all.size(), held);
}

void print_json(const std::vector<partition_lag>& all, timestamp now) {
    http::json_writer json;
    json.begin_object().begin_array("partitions");
    for (const auto& each : all) {
        json.begin_object()
            .member("service", each.service)
            .member("group", each.group)
            .member("topic", each.where.topic)
            .member("partition", each.where.partition)
            .member("next_offset", each.next)
            .member("end_offset", each.end)
            .member("lag_records", each.records())
            .member("lag_seconds", each.seconds(now))
            .member("held_keys", each.held_keys)
            .end_object();
    }
    json.end_array().end_object();
    fmt::print("{}\n", json.take());
}

result<std::optional<double>> read_limit(const arguments& given) {
    const auto text = given.value("--max-age");
    if (!text) {
        return std::nullopt;
    }
    std::uint32_t seconds = 0;
    const auto* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, seconds);
    if (read.ec != std::errc() || read.ptr != end) {
        return fail(error_kind::invalid, "usage", "--max-age wants whole seconds");
    }
    return seconds;
}

result<void> check_age(const std::vector<partition_lag>& all, std::optional<double> limit,
                       timestamp now) {
    for (const auto& each : all) {
        if (limit && each.seconds(now) > *limit) {
            return fail(error_kind::timeout, "events-too-old",
                        fmt::format("{} has waited {:.0f} s in {}/{}, {:.0f} allowed", each.group,
                                    each.seconds(now), each.where.topic, each.where.partition,
                                    *limit));
        }
    }
    return {};
}

result<void> run_lag(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--service", "--max-age"}, {"--json", "--all"});
    if (!given) {
        return fail(given);
    }
    const auto limit = read_limit(*given);
    const auto services = chosen_services(*given);
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!limit || !services || !brokers) {
        return std::unexpected(!limit      ? limit.error()
                               : !services ? services.error()
                                           : brokers.error());
    }
    std::vector<partition_lag> all;
    for (const auto& service : *services) {
        auto work = [&](pg::transaction& tx) -> result<void> {
            std::ranges::move(read_positions(tx, service), std::back_inserter(all));
            return {};
        };
        const auto read = on_database(where, service, work);
        if (!read) {
            return fail(read);
        }
    }
    kafka::admin broker(*brokers, "relaisctl", broker_timeout);
    const auto ended = add_ends(broker, all);
    if (!ended) {
        return fail(ended);
    }
    add_times(*brokers, all);
    const auto now = system_clock().now();
    given->has("--json") ? print_json(all, now) : print_text(all, given->has("--all"), now);
    return check_age(all, *limit, now);
}

} // namespace

command lag_command() {
    return {"lag", "lag [--service NAME] [--max-age SECONDS] [--all] [--json]",
            "how far consumers are behind, in records and seconds; exit code 1 when an event waits "
            "longer than --max-age",
            run_lag};
}

} // namespace relais::ctl
