#include "async/signal.hpp"
#include "backbone/messages.hpp"
#include "backbone/node.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"

#include <fmt/format.h>

#include <random>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::backbone {
namespace {

constexpr std::size_t in_flight_max = 50'000;

/// Sends, waiting while too much is in flight.
asio::awaitable<void> send(kafka::producer& to, const kafka::record& value) {
    while (to.in_flight() >= in_flight_max) {
        co_await async::sleep_for(std::chrono::milliseconds(1));
    }
    const auto queued = to.send(value, [](const result<kafka::delivery>& done) {
        if (!done) {
            throw std::runtime_error(done.error().slug);
        }
    });
    if (!queued) {
        throw std::runtime_error(queued.error().slug);
    }
}

asio::awaitable<void> flush(kafka::producer& to) {
    const auto flushed = co_await to.flush(std::chrono::minutes(2));
    if (!flushed) {
        throw std::runtime_error(flushed.error().slug);
    }
}

/// Events as a relay would publish them, each in a transaction of its own; keys are drawn evenly.
asio::awaitable<void> fill(node& on, kafka::producer& to) {
    const auto events = on.given().number("events", 0);
    const auto keys = static_cast<std::uint64_t>(on.given().number("keys", 1'000));
    const auto noise = static_cast<std::size_t>(on.given().number("noise-bytes", 0));
    std::mt19937_64 random(1); // NOLINT(cert-msc51-cpp): the same load each time
    for (std::int64_t i = 0; i < events; ++i) {
        auto event = make_event("k-" + std::to_string(random() % keys), i, noise);
        event.position = events::position{"web-api:1", static_cast<std::uint64_t>(100 + i), 0};
        co_await send(to, kafka::to_record(event));
    }
    co_await flush(to);
    on.done();
}

/// Reads up to `count` records of each partition from a random place on.
asio::awaitable<std::vector<kafka::record>> read_some(node& on, std::int64_t count) {
    std::mt19937_64 random(static_cast<std::uint64_t>(on.given().number("seed", 1)));
    const auto prefix = on.given().text("prefix");
    kafka::admin admin(on.given().text("brokers"), "backbone", std::chrono::seconds(20));
    const auto ranges = admin.offsets(prefix + topic_name);
    if (!ranges) {
        throw std::runtime_error(ranges.error().slug);
    }
    kafka::consumer from({.brokers = on.given().text("brokers"),
                          .client_id = "backbone",
                          .group = "backbone",
                          .topic_prefix = prefix},
                         on.loop(), on.metrics(), on.logger());
    std::vector<kafka::partition_start> starts;
    for (const auto& range : *ranges) {
        if (range.next > range.first) {
            const auto spread = static_cast<std::uint64_t>(range.next - range.first);
            const auto skip = static_cast<std::int64_t>(random() % spread);
            starts.push_back({{topic_name, range.partition}, range.first + skip});
        }
    }
    from.assign(starts);
    std::vector<kafka::record> all;
    for (const auto& start : starts) {
        auto taken = from.take(start.where, static_cast<std::size_t>(count), 10'000'000);
        while (taken.empty()) {
            co_await from.wait();
            taken = from.take(start.where, static_cast<std::size_t>(count), 10'000'000);
        }
        std::ranges::move(taken, std::back_inserter(all));
    }
    co_return all;
}

/// Old records once more, as they are, to where they are.
asio::awaitable<void> duplicate(node& on, kafka::producer& to) {
    auto all = co_await read_some(on, on.given().number("duplicates", 0));
    for (const auto& each : all) {
        co_await send(to, each);
    }
    co_await flush(to);
    fmt::print("{{\"duplicated\":{}}}\n", all.size());
    on.done();
}

} // namespace

/// --brokers LIST --prefix TEXT, and --events N [--keys N], or --duplicates N [--seed N]
void produce_events(const options& given) {
    node on(given, "producer");
    kafka::producer producer({.brokers = given.text("brokers"),
                              .client_id = "backbone-producer",
                              .linger = std::chrono::milliseconds(5),
                              .topic_prefix = given.text("prefix"),
                              .topics = {topic_name}},
                             on.loop(), on.metrics(), on.logger());
    const bool again = given.number("duplicates", 0) > 0;
    on.tasks().spawn("producer", again ? duplicate(on, producer) : fill(on, producer));
    on.run();
}

} // namespace relais::backbone
