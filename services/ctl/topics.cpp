#include "events/topics.hpp"

#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ctl/topics_apply.hpp"
#include "ctl/topics_page.hpp"
#include "http/json_writer.hpp"
#include "kafka/admin.hpp"

#include <fmt/format.h>

#include <charconv>

namespace relais::ctl {
namespace {

constexpr std::chrono::seconds broker_timeout{20};

void list_topics(bool as_json) {
    http::json_writer json;
    json.begin_object().begin_array("topics");
    for (const auto& topic : events::all_topics()) {
        json.begin_object().member("name", topic.name).member("producer", topic.producer);
        json.member("partitions", topic.partitions).member("lane", events::to_string(topic.lane));
        json.member("retention", retention_text(topic)).end_object();
        if (!as_json) {
            fmt::print("{:<34} {:<18} {:>2} partitions  {:<11} {}\n", topic.name, topic.producer,
                       topic.partitions, events::to_string(topic.lane), retention_text(topic));
        }
    }
    json.end_array().end_object();
    if (as_json) {
        fmt::print("{}\n", json.take());
    }
}

result<void> apply(const context& where, std::uint32_t replicas, bool only_check) {
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    kafka::admin broker(*brokers, "relaisctl", broker_timeout);
    return apply_topics(
        broker, events::all_topics(),
        {.replicas = replicas, .only_check = only_check, .say = [](const std::string& line) {
             fmt::print("{}\n", line);
         }});
}

result<std::uint32_t> replicas_of(const arguments& given) {
    const auto text = given.value("--replication-factor").value_or("1");
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || value == 0) {
        return fail(error_kind::invalid, "usage", "--replication-factor wants a number");
    }
    return value;
}

result<void> run_topics(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--replication-factor"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    const auto& rest = given->rest();
    const std::string verb = rest.size() == 1 ? rest.front() : "";
    if (verb == "list") {
        list_topics(given->has("--json"));
        return {};
    }
    if (verb == "page") {
        fmt::print("{}", topics_page(events::all_topics()));
        return {};
    }
    if (verb == "apply" || verb == "check") {
        const auto replicas = replicas_of(*given);
        if (!replicas) {
            return fail(replicas);
        }
        return apply(where, *replicas, verb == "check");
    }
    return fail(error_kind::invalid, "usage", "list, apply, check or page");
}

} // namespace

command topics_command() {
    return {
        "topics", "topics list|apply|check|page [--json] [--replication-factor N]",
        "the topics of proto/topics.textproto: list them, make what is missing and mend settings,\n"
        "      only look whether all is as it should be, print the page of documentation",
        run_topics};
}

} // namespace relais::ctl
