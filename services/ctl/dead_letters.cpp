#include "inbox/dead_letters.hpp"

#include "clock/rfc3339.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ctl/record_json.hpp"
#include "http/json_writer.hpp"

#include <fmt/format.h>

#include <charconv>

namespace relais::ctl {
namespace {

constexpr std::size_t listed_max = 1'000;

inbox::dead_letter_filter filter_of(const arguments& given) {
    return {.topic = given.value("--topic").value_or(""),
            .reason = given.value("--reason").value_or(""),
            .redriven = given.has("--redriven"),
            .limit = listed_max};
}

void add_json(http::json_writer& json, const std::string& service,
              const inbox::dead_letter& letter) {
    json.begin_object()
        .member("service", service)
        .member("id", letter.id)
        .member("topic", letter.topic)
        .member("partition", letter.partition)
        .member("offset", letter.offset)
        .member("type", letter.type)
        .member("reason", letter.reason)
        .member("attempts", letter.attempts)
        .member("redrives", letter.redrives)
        .member("dead_at", letter.dead_at);
    if (letter.redriven_at) {
        json.member("redriven_at", *letter.redriven_at);
    }
    json.end_object();
}

result<void> list(const context& where, const arguments& given) {
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    http::json_writer json;
    json.begin_object().begin_array("dead_letters");
    std::size_t count = 0;
    for (const auto& service : *services) {
        const auto done = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
            for (const auto& letter : inbox::list_dead_letters(tx, filter_of(given))) {
                ++count;
                add_json(json, service, letter);
                if (!given.has("--json")) {
                    fmt::print("{} {:>6}  {}  {}  {}  {} attempts  {}/{}@{}{}\n", service,
                               letter.id, to_rfc3339(letter.dead_at), letter.reason,
                               letter.type.empty() ? "(unreadable)" : letter.type, letter.attempts,
                               letter.topic, letter.partition, letter.offset,
                               letter.redriven_at ? "  redriven" : "");
                }
            }
            return {};
        });
        if (!done) {
            return done;
        }
    }
    json.end_array().end_object();
    if (given.has("--json")) {
        fmt::print("{}\n", json.take());
    } else if (count == 0) {
        fmt::print("no dead letters\n");
    }
    return {};
}

result<std::vector<std::int64_t>> ids_of(const arguments& given) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 1; i < given.rest().size(); ++i) {
        const auto& text = given.rest()[i];
        std::int64_t id = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (failed != std::errc() || end != text.data() + text.size()) {
            return fail(error_kind::invalid, "usage", fmt::format("{} is no id", text));
        }
        ids.push_back(id);
    }
    return ids;
}

void show(const std::string& service, const inbox::dead_letter& letter) {
    http::json_writer json;
    json.begin_object()
        .member("service", service)
        .member("id", letter.id)
        .member("reason", letter.reason)
        .member("attempts", letter.attempts)
        .member("redrives", letter.redrives)
        .member("dead_at", letter.dead_at)
        .raw_member("errors", letter.errors);
    json.raw_member("record", record_json({.topic = letter.topic,
                                           .key = letter.key,
                                           .value = letter.value,
                                           .headers = letter.headers,
                                           .partition = letter.partition,
                                           .offset = letter.offset,
                                           .time = letter.record_time}));
    json.end_object();
    fmt::print("{}\n", json.take());
}

/// show and redrive: on one service's database, by ids.
result<void> with_ids(
    const context& where, const arguments& given,
    const std::function<result<void>(pg::transaction&, const std::string&, std::int64_t)>& action) {
    const auto service = given.value("--service");
    const auto ids = ids_of(given);
    if (!ids) {
        return fail(ids);
    }
    if (!service || ids->empty()) {
        return fail(error_kind::invalid, "usage", "--service NAME and an ID are needed");
    }
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    for (const auto id : *ids) {
        const auto done = on_database(
            where, *service, [&](pg::transaction& tx) { return action(tx, *service, id); });
        if (!done) {
            return done;
        }
    }
    return {};
}

result<void> show_one(pg::transaction& tx, const std::string& service, std::int64_t id) {
    const auto letter = inbox::find_dead_letter(tx, id);
    if (!letter) {
        return fail(error_kind::not_found, "no-such-dead-letter", std::to_string(id));
    }
    show(service, *letter);
    return {};
}

result<void> redrive_one(pg::transaction& tx, const std::string& service, std::int64_t id) {
    const auto done = inbox::redrive(tx, id, system_clock().now());
    if (done) {
        tx.after_commit([=] { fmt::print("{} {}: redriven\n", service, id); });
    }
    return done;
}

/// Everything that the filter finds, oldest first, so that each key's events keep their order.
result<void> redrive_all(const context& where, const arguments& given) {
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    for (const auto& service : *services) {
        const auto done = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
            auto filter = filter_of(given);
            filter.redriven = false;
            for (const auto& letter : inbox::list_dead_letters(tx, filter)) {
                const auto one = letter.event ? redrive_one(tx, service, letter.id)
                                              : result<void>(); // unreadable: stays
                if (!one) {
                    return one;
                }
            }
            return {};
        });
        if (!done) {
            return done;
        }
    }
    return {};
}

result<void> run_dead_letters(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--service", "--topic", "--reason"},
                                        {"--json", "--redriven", "--all"});
    if (!given) {
        return fail(given);
    }
    const std::string verb = given->rest().empty() ? "" : given->rest().front();
    if (verb == "list") {
        return list(where, *given);
    }
    if (verb == "show") {
        return with_ids(where, *given, show_one);
    }
    if (verb == "redrive" && given->has("--all") && given->rest().size() == 1) {
        return redrive_all(where, *given);
    }
    if (verb == "redrive") {
        return with_ids(where, *given, redrive_one);
    }
    return fail(error_kind::invalid, "usage", "list, show or redrive");
}

} // namespace

command dead_letters_command() {
    return {"dead-letters",
            "dead-letters list|show|redrive [--service NAME] [ID…] [--topic T] [--reason R] "
            "[--all] [--redriven] [--json]",
            "events that could not be handled: list them (--redriven: also the redriven ones), "
            "show one\n"
            "      with its errors, give some or all of them (--all, by topic and reason) back to "
            "their\n"
            "      service, in the order of their keys",
            run_dead_letters};
}

} // namespace relais::ctl
