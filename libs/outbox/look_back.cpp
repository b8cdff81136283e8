#include "outbox/look_back.hpp"

#include "async/signal.hpp"
#include "kafka/broadcast_reader.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

/// The clocks of broker and database may differ, and an event takes its time to the broker.
constexpr std::chrono::minutes margin{5};

asio::awaitable<void> until_caught_up(const kafka::broadcast_reader& reader) {
    while (!reader.caught_up()) {
        co_await async::sleep_for(std::chrono::milliseconds(20));
    }
}

std::string_view header_of(const kafka::record& record, std::string_view name) {
    for (const auto& [key, value] : record.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

} // namespace

asio::awaitable<std::unordered_set<event_id>> look_back(look_back_request request,
                                                        asio::io_context& loop,
                                                        metrics::registry& registry,
                                                        log::logger logger) {
    using namespace asio::experimental::awaitable_operators;
    std::unordered_set<event_id> published;
    const auto note = [&](const kafka::record& record) {
        const auto id = event_id::parse(header_of(record, "ce_id"));
        if (id && header_of(record, "x-src").starts_with(request.service + ":")) {
            published.insert(*id);
        }
    };
    const auto back = system_clock().now() - request.since + margin;
    std::vector<kafka::broadcast_topic> topics;
    topics.reserve(request.topics.size());
    for (const auto& name : request.topics) {
        topics.push_back({request.broker.topic_prefix + name,
                          std::chrono::ceil<std::chrono::milliseconds>(back)});
    }
    kafka::broadcast_reader reader({.brokers = request.broker.brokers,
                                    .client_id = request.broker.client_id + "-look-back",
                                    .topics = std::move(topics)},
                                   note, loop, registry, std::move(logger));
    auto reading = reader.run();
    auto waiting = until_caught_up(reader);
    co_await (std::move(reading) || std::move(waiting));
    co_return published;
}

} // namespace relais::outbox
