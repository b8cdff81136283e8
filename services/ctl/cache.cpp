#include "clock/clock.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "events/event.hpp"
#include "kafka/producer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <relais/edge/v1/cache_events.pb.h>

namespace asio = boost::asio;

namespace relais::ctl {
namespace {

constexpr std::chrono::milliseconds broker_timeout{10'000};
constexpr std::string_view everything = "*";

/// Waits until the broker has all of them.
result<void> send_purges(const std::string& brokers, const std::vector<std::string>& keys) {
    asio::io_context loop{1};
    metrics::registry metrics;
    kafka::producer producer({.brokers = brokers, .client_id = "relaisctl"}, loop, metrics,
                             log::logger());
    const auto why = events::cause::from_request(trace::context::start(), "relaisctl");
    result<void> outcome;
    for (const auto& key : keys) {
        edge::v1::CachePurgeRequested message;
        message.set_surrogate_key(key);
        const auto event = events::make_event(message, "relaisctl", why, system_clock().now());
        auto queued = producer.send(kafka::to_record(event), [&outcome](const auto& delivered) {
            if (!delivered) {
                outcome = fail(delivered);
            }
        });
        if (!queued) {
            return queued;
        }
    }
    auto flushing = [](kafka::producer& all, result<void>& to) -> asio::awaitable<void> {
        auto work = all.flush(broker_timeout);
        auto flushed = co_await std::move(work);
        if (!flushed) {
            to = std::move(flushed);
        }
    };
    asio::co_spawn(loop, flushing(producer, outcome),
                   [&loop](const std::exception_ptr&) { loop.stop(); });
    loop.run();
    return outcome;
}

result<void> run_cache(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {}, {"--all"});
    if (!given) {
        return fail(given);
    }
    auto keys = given->rest();
    if (keys.empty() || keys.front() != "purge") {
        return fail(error_kind::invalid, "usage", "purge KEY…, or purge --all");
    }
    keys.erase(keys.begin());
    if (given->has("--all") != keys.empty()) {
        return fail(error_kind::invalid, "usage", "either keys or --all");
    }
    for (const auto& key : keys) {
        if (key.empty() || key == everything || key.find_first_of(" ,\t") != std::string::npos) {
            return fail(error_kind::invalid, "usage",
                        fmt::format("\"{}\" is no surrogate key", key));
        }
    }
    if (keys.empty()) {
        keys.emplace_back(everything);
    }
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    if (auto sent = send_purges(*brokers, keys); !sent) {
        return sent;
    }
    fmt::print("asked every gateway to forget {}\n",
               given->has("--all") ? "all answers" : fmt::format("{} key(s)", keys.size()));
    return {};
}

} // namespace

command cache_command() {
    return {"cache", "cache purge KEY… | --all",
            "make every gateway forget the answers that carry a surrogate key (Surrogate-Key or\n"
            "      Cache-Tag of the service), within a second",
            run_cache};
}

} // namespace relais::ctl
