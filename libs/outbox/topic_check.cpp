#include "outbox/topic_check.hpp"

#include "async/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds one_try{2};

asio::awaitable<result<std::vector<kafka::existing_topic>>>
ask(const kafka::producer_settings& broker, metrics::registry& registry) {
    async::worker_pool lookups({.name = "outbox-topics", .threads = 1, .queue_max = 1}, registry);
    const auto until = std::chrono::steady_clock::now() + one_try;
    auto look = [broker](std::size_t) {
        return kafka::admin(broker.brokers, broker.client_id, one_try).topics();
    };
    auto there = co_await lookups.run(std::move(look), until);
    co_return there;
}

} // namespace

result<void> compare_partitions(const std::vector<events::topic>& wanted,
                                const std::vector<kafka::existing_topic>& there,
                                const std::string& prefix) {
    for (const auto& topic : wanted) {
        const auto found =
            std::ranges::find(there, prefix + topic.name, &kafka::existing_topic::name);
        if (found != there.end() && found->partitions != topic.partitions) {
            return fail(
                error_kind::conflict, "partition-count",
                fmt::format("{} has {} partitions, the topics file says {}; keys would move and "
                            "lose their order, so nothing is published. Put the file back, or add "
                            "a v2 topic with the new count beside it and move its events there",
                            topic.name, found->partitions, topic.partitions));
        }
    }
    return {};
}

asio::awaitable<result<void>> check_partitions(kafka::producer_settings broker,
                                               metrics::registry& registry) {
    std::vector<events::topic> wanted;
    for (const auto& name : broker.topics) {
        if (const auto* topic = events::find_topic(name)) {
            wanted.push_back(*topic);
        }
    }
    const auto there = co_await ask(broker, registry);
    if (!there) {
        co_return fail(there);
    }
    co_return compare_partitions(wanted, *there, broker.topic_prefix);
}

asio::awaitable<result<std::set<std::string>>> missing_of(kafka::producer_settings broker,
                                                          metrics::registry& registry,
                                                          std::set<std::string> topics) {
    const auto there = co_await ask(broker, registry);
    if (!there) {
        co_return fail(there);
    }
    for (const auto& each : *there) {
        if (each.name.starts_with(broker.topic_prefix)) {
            topics.erase(each.name.substr(broker.topic_prefix.size()));
        }
    }
    co_return topics;
}

} // namespace relais::outbox
