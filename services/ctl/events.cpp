#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "inbox/record_json.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>

namespace asio = boost::asio;

namespace relais::ctl {
namespace {

constexpr std::chrono::seconds broker_timeout{10};

struct tail_options {
    std::string topic;
    std::string from = "end"; ///< "beginning", "end" or an offset
    std::optional<std::uint64_t> count;
    std::optional<std::chrono::seconds> timeout;
};

result<std::uint64_t> number_of(std::string_view name, const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
        return fail(error_kind::invalid, "usage", fmt::format("{} wants a number", name));
    }
    return value;
}

result<tail_options> read_options(const arguments& given) {
    if (given.rest().size() != 2 || given.rest().front() != "tail") {
        return fail(error_kind::invalid, "usage", "tail TOPIC");
    }
    tail_options options{.topic = given.rest()[1]};
    options.from = given.value("--from").value_or("end");
    if (options.from != "beginning" && options.from != "end") {
        const auto offset = number_of("--from", options.from);
        if (!offset) {
            return fail(error_kind::invalid, "usage", "--from wants beginning, end or an offset");
        }
    }
    if (const auto text = given.value("--count")) {
        const auto count = number_of("--count", *text);
        if (!count) {
            return fail(count);
        }
        options.count = *count;
    }
    if (const auto text = given.value("--timeout")) {
        const auto seconds = number_of("--timeout", *text);
        if (!seconds) {
            return fail(seconds);
        }
        options.timeout = std::chrono::seconds(*seconds);
    }
    return options;
}

std::vector<kafka::partition_start> find_starts(const tail_options& options,
                                                const std::vector<kafka::offset_range>& ranges) {
    std::vector<kafka::partition_start> starts;
    for (const auto& range : ranges) {
        std::int64_t offset = range.next;
        if (options.from == "beginning") {
            offset = range.first;
        } else if (options.from != "end") {
            offset = std::clamp<std::int64_t>(std::stoll(options.from), range.first, range.next);
        }
        starts.push_back({{options.topic, range.partition}, offset});
    }
    return starts;
}

/// Prints records until there were enough, or until the time is over.
asio::awaitable<std::uint64_t> print_records(kafka::consumer& source, const tail_options& options,
                                             std::vector<kafka::partition_start> starts) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t printed = 0;
    while (!options.timeout || std::chrono::steady_clock::now() - begin < *options.timeout) {
        bool any = false;
        for (const auto& start : starts) {
            for (const auto& record : source.take(start.where, 100, 1'000'000)) {
                any = true;
                fmt::print("{}\n", inbox::record_json(record));
                if (options.count && ++printed == *options.count) {
                    co_return printed;
                }
            }
        }
        std::fflush(stdout);
        if (!any) {
            co_await source.wait();
        }
    }
    co_return printed;
}

result<void> tail(const context& where, const tail_options& options) {
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    kafka::admin broker(*brokers, "relaisctl", broker_timeout);
    const auto ranges = broker.offsets(options.topic);
    if (!ranges) {
        return fail(ranges);
    }
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::consumer source({.brokers = *brokers, .client_id = "relaisctl", .group = "relaisctl"},
                           loop, metrics, {});
    const auto starts = find_starts(options, *ranges);
    source.assign(starts);
    std::uint64_t printed = 0;
    asio::co_spawn(loop, print_records(source, options, starts),
                   [&](const std::exception_ptr& thrown, std::uint64_t number) {
                       printed = number;
                       loop.stop();
                       if (thrown) {
                           std::rethrow_exception(thrown);
                       }
                   });
    loop.run();
    if (options.count && printed < *options.count) {
        return fail(error_kind::timeout, "fewer-events",
                    fmt::format("{} of {} came in time", printed, *options.count));
    }
    return {};
}

result<void> run_events(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--from", "--count", "--timeout"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    const auto options = read_options(*given);
    if (!options) {
        return fail(options);
    }
    return tail(where, *options);
}

} // namespace

command events_command() {
    return {"events",
            "events tail TOPIC [--from beginning|end|OFFSET] [--count N] [--timeout SECONDS]",
            "print a topic's events as lines of JSON, decoded; exit code 1 when fewer than N came "
            "in time",
            run_events};
}

} // namespace relais::ctl
