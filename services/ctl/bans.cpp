#include "clock/rfc3339.hpp"
#include "ctl/acting.hpp"
#include "ctl/bans_state.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "http/json_writer.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <relais/edge/v1/ban_events.pb.h>

namespace asio = boost::asio;

namespace relais::ctl {
namespace {

constexpr std::string_view topic = "edge.ban.events.v1";
constexpr std::chrono::seconds broker_timeout{10};

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
}

/// Returns when the broker has it.
result<void> publish(const context& where, const google::protobuf::Message& message) {
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::producer producer({.brokers = *brokers, .client_id = "relaisctl"}, loop, metrics, {});
    const auto why = events::cause::from_request(trace::context::start(), "relaisctl");
    const auto event = events::make_event(message, "relaisctl", why, system_clock().now());
    result<void> outcome = fail(error_kind::timeout, "broker-timeout", "the broker did not answer");
    const auto queued = producer.send(kafka::to_record(event), [&](const auto& delivered) {
        outcome = delivered ? result<void>() : fail(delivered);
        loop.stop();
    });
    if (!queued) {
        return queued;
    }
    loop.run_for(broker_timeout);
    return outcome;
}

/// Until what was there at the start is read.
asio::awaitable<void> read_all(kafka::consumer& source, std::vector<kafka::offset_range> ranges,
                               ban_entries& into) {
    constexpr std::size_t records_max = 1'000;
    constexpr std::size_t bytes_max = 1'000'000;
    while (true) {
        bool behind = false;
        bool any = false;
        for (auto& each : ranges) {
            for (const auto& record :
                 source.take({std::string(topic), each.partition}, records_max, bytes_max)) {
                any = true;
                each.first = record.offset + 1;
                apply_ban_event(record, into);
            }
            behind = behind || each.first < each.next;
        }
        if (!behind) {
            co_return;
        }
        if (!any) {
            co_await source.wait();
        }
    }
}

result<ban_entries> read_bans(const context& where) {
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    kafka::admin broker(*brokers, "relaisctl", broker_timeout);
    const auto ranges = broker.offsets(std::string(topic));
    if (!ranges) {
        return fail(ranges);
    }
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::consumer source({.brokers = *brokers, .client_id = "relaisctl", .group = "relaisctl"},
                           loop, metrics, {});
    std::vector<kafka::partition_start> starts;
    for (const auto& each : *ranges) {
        starts.push_back({{std::string(topic), each.partition}, each.first});
    }
    source.assign(starts);
    ban_entries bans;
    bool whole = false;
    asio::co_spawn(loop, read_all(source, *ranges, bans), [&](const std::exception_ptr& thrown) {
        whole = thrown == nullptr;
        loop.stop();
    });
    loop.run_for(broker_timeout);
    if (!whole) {
        return fail(error_kind::timeout, "broker-timeout", "the events could not be read in time");
    }
    const auto now = system_clock().now();
    std::erase_if(bans, [now](const auto& each) { return each.second.expires_at <= now; });
    return bans;
}

result<void> add(const context& where, const arguments& given) {
    const auto prefix = ban_prefix_of(given.rest()[1]);
    const auto lasts = ban_time_of(given.value("--for").value_or(""));
    if (!prefix || !lasts) {
        return prefix ? fail(lasts) : fail(prefix);
    }
    const auto reason = given.value("--reason").value_or("");
    if (reason.empty()) {
        return misuse("--reason is missing: somebody will ask why");
    }
    const auto until = std::chrono::ceil<std::chrono::seconds>(system_clock().now() + *lasts);
    edge::v1::AddressBanned message;
    message.set_prefix(*prefix);
    message.set_reason(reason);
    message.set_banned_by(acting_of(where, given).by);
    message.mutable_expires_at()->set_seconds(until.time_since_epoch().count());
    const auto done = publish(where, message);
    if (done) {
        fmt::print("{} is banned until {}\n", *prefix, to_rfc3339(until));
    }
    return done;
}

result<void> lift(const context& where, const arguments& given) {
    const auto prefix = ban_prefix_of(given.rest()[1]);
    const auto bans = prefix ? read_bans(where) : result<ban_entries>(fail(prefix));
    if (!bans) {
        return fail(bans);
    }
    if (!bans->contains(*prefix)) {
        return fail(error_kind::not_found, "no-such-ban",
                    fmt::format("{} is not banned; bans list shows what is", *prefix));
    }
    edge::v1::BanLifted message;
    message.set_prefix(*prefix);
    message.set_reason(given.value("--reason").value_or(""));
    message.set_lifted_by(acting_of(where, given).by);
    const auto done = publish(where, message);
    if (done) {
        fmt::print("{} is not banned any more\n", *prefix);
    }
    return done;
}

result<void> list(const context& where, const arguments& given) {
    const auto bans = read_bans(where);
    if (!bans) {
        return fail(bans);
    }
    http::json_writer json;
    json.begin_object().begin_array("bans");
    for (const auto& [prefix, each] : *bans) {
        json.begin_object().member("prefix", prefix).member("reason", each.reason);
        json.member("banned_by", each.banned_by);
        json.member("expires_at", to_rfc3339(each.expires_at)).end_object();
        if (!given.has("--json")) {
            fmt::print("{:<24} until {}  by {}: {}\n", prefix, to_rfc3339(each.expires_at),
                       each.banned_by, each.reason);
        }
    }
    json.end_array().end_object();
    if (given.has("--json")) {
        fmt::print("{}\n", json.take());
    } else if (bans->empty()) {
        fmt::print("no bans in force\n");
    }
    return {};
}

result<void> run_bans(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--for", "--reason", "--by"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    const auto& rest = given->rest();
    const std::string verb = rest.empty() ? "" : rest.front();
    if (verb == "list" && rest.size() == 1) {
        return list(where, *given);
    }
    if (verb == "add" && rest.size() == 2) {
        return add(where, *given);
    }
    if (verb == "lift" && rest.size() == 2) {
        return lift(where, *given);
    }
    return misuse("list, add ADDRESS or lift ADDRESS");
}

} // namespace

command bans_command() {
    return {"bans",
            "bans list [--json] | add ADDRESS|CIDR --for 90s|15m|12h|7d --reason TEXT [--by NAME] |"
            "\n      lift ADDRESS|CIDR [--reason TEXT] [--by NAME]",
            "addresses and networks that every gateway refuses, within a second and for 90 days at "
            "most",
            run_bans};
}

} // namespace relais::ctl
