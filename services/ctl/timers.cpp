#include "clock/rfc3339.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "http/json_writer.hpp"
#include "timers/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace relais::ctl {
namespace {

constexpr std::size_t listed_usually = 100;
constexpr std::size_t listed_max = 10'000;
/// Counting millions of rows takes longer than what a service may ask.
constexpr std::chrono::seconds count_limit{120};

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
}

void add_time(http::json_writer& json, std::string_view name, std::optional<timestamp> time) {
    if (time) {
        json.member(name, *time);
    } else {
        json.null_member(name);
    }
}

void add_json(http::json_writer& json, const std::string& service, const timers::timer_row& row) {
    json.begin_object()
        .member("service", service)
        .member("id", row.what.id)
        .member("kind", row.what.kind)
        .member("due_at", row.what.due_at)
        .member("priority", row.what.priority)
        .member("attempts", row.attempts)
        .member("payload", row.what.payload)
        .member("created_at", row.created_at);
    add_time(json, "expires_at", row.what.expires_at);
    add_time(json, "not_before", row.not_before);
    add_time(json, "failed_at", row.failed_at);
    if (!row.last_error.empty()) {
        json.member("last_error", row.last_error);
    }
    if (!row.cron.empty()) {
        json.begin_object("cron")
            .member("expression", row.cron)
            .member("time_zone", row.time_zone)
            .member("catch_up", row.catch_up)
            .end_object();
    }
    json.end_object();
}

void print_text(const std::string& service, const timers::timer_row& row) {
    fmt::print("{}  {}  {}  due {}", service, row.what.kind, row.what.id,
               to_rfc3339(row.what.due_at));
    if (!row.cron.empty()) {
        fmt::print("  \"{}\" {} {}", row.cron, row.time_zone, row.catch_up);
    }
    if (row.attempts > 0) {
        fmt::print("  {} attempts", row.attempts);
    }
    if (row.failed_at) {
        fmt::print("  given up {}", to_rfc3339(*row.failed_at));
    }
    fmt::print("{}{}\n", row.last_error.empty() ? "" : "  ", row.last_error);
}

result<std::size_t> limit_of(const arguments& given) {
    const auto text = given.value("--limit");
    std::size_t limit = listed_usually;
    if (text) {
        const auto [end, failed] =
            std::from_chars(text->data(), text->data() + text->size(), limit);
        if (failed != std::errc() || end != text->data() + text->size() || limit < 1 ||
            limit > listed_max) {
            return misuse(fmt::format("--limit wants 1 to {}", listed_max));
        }
    }
    return limit;
}

result<void> list(const context& where, const arguments& given) {
    const auto services = chosen_services(given);
    const auto limit = limit_of(given);
    if (!services || !limit) {
        return services ? fail(limit) : fail(services);
    }
    http::json_writer json;
    json.begin_object().begin_array("timers");
    const timers::timer_filter filter{given.value("--kind").value_or(""), given.has("--failed"),
                                      *limit};
    for (const auto& service : *services) {
        const auto done = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
            for (const auto& row : timers::list_timers(tx, filter)) {
                add_json(json, service, row);
                if (!given.has("--json")) {
                    print_text(service, row);
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
    }
    return {};
}

void add_json(http::json_writer& json, const std::string& service,
              const timers::kind_count& count) {
    json.begin_object()
        .member("service", service)
        .member("kind", count.kind)
        .member("pending", count.pending)
        .member("due", count.due)
        .member("failed", count.failed);
    add_time(json, "oldest_due", count.oldest_due);
    add_time(json, "next", count.next);
    json.end_object();
}

result<void> show_kinds(const context& where, const arguments& given) {
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    http::json_writer json;
    json.begin_object().begin_array("kinds");
    const auto now = system_clock().now();
    for (const auto& service : *services) {
        const auto work = [&](pg::transaction& tx) -> result<void> {
            for (const auto& count : timers::count_timers(tx, now)) {
                add_json(json, service, count);
                if (given.has("--json")) {
                    continue;
                }
                fmt::print("{}  {}  {} pending, {} due, {} given up", service, count.kind,
                           count.pending, count.due, count.failed);
                if (count.oldest_due) {
                    const std::chrono::duration<double> late = now - *count.oldest_due;
                    fmt::print("; the oldest is due for {:.1f} s", late.count());
                }
                fmt::print("\n");
            }
            return {};
        };
        const auto done = on_database(where, service, work, count_limit);
        if (!done) {
            return done;
        }
    }
    json.end_array().end_object();
    if (given.has("--json")) {
        fmt::print("{}\n", json.take());
    }
    return {};
}

error missing(const std::string& service, const std::string& id) {
    return {error_kind::not_found, "no-such-timer",
            fmt::format("{} has no timer {}; timers list --service {} shows them", service, id,
                        service),
            "", std::nullopt};
}

using action = std::function<result<void>(pg::transaction&, const std::string& id)>;

/// What changes a timer, by the verb; nothing for verbs that are none.
result<action> action_of(const std::string& verb, const arguments& given) {
    const auto now = system_clock().now();
    if (verb == "cancel") {
        return [](pg::transaction& tx, const std::string& id) -> result<void> {
            timers::cancel(tx, id);
            return {};
        };
    }
    if (verb == "retry") {
        return [](pg::transaction& tx, const std::string& id) {
            return timers::retry(tx, id);
        };
    }
    if (verb == "run-now") {
        return [now](pg::transaction& tx, const std::string& id) {
            return timers::run_now(tx, id, now);
        };
    }
    if (verb != "reschedule") {
        return misuse("list, kinds, show, cancel, reschedule, retry or run-now");
    }
    const auto due = parse_rfc3339(given.value("--at").value_or(""));
    if (!due) {
        return misuse("reschedule wants --at with a time like 2026-11-23T06:46:44Z");
    }
    return [due = *due](pg::transaction& tx, const std::string& id) -> result<void> {
        if (!timers::reschedule(tx, id, due)) {
            return fail(error_kind::conflict, "timer-given-up",
                        id + " was given up; retry tries it again");
        }
        return {};
    };
}

/// Does it, shows the timer as it was, and takes it back unless --yes was said: so a dry run meets
/// the same errors.
result<void> change(const context& where, const arguments& given, const std::string& service,
                    const std::string& id, const action& act) {
    const auto& verb = given.rest().front();
    std::optional<timers::timer_row> before;
    const auto done = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
        before = timers::find_timer(tx, id);
        if (!before) {
            return std::unexpected(missing(service, id));
        }
        const auto acted = act(tx, id);
        if (acted && !given.has("--yes")) {
            return fail(error_kind::conflict, "dry-run");
        }
        return acted;
    });
    const bool dry = !done && done.error().slug == "dry-run";
    if (!done && !dry) {
        return done;
    }
    if (given.has("--json")) {
        http::json_writer json;
        json.begin_object().member("action", verb).member("done", !dry).begin_array("timers");
        add_json(json, service, *before);
        json.end_array().end_object();
        fmt::print("{}\n", json.take());
    } else {
        fmt::print("{}{}: ", dry ? "would " : "", verb);
        print_text(service, *before);
    }
    return {};
}

result<void> show_one(const context& where, const std::string& service, const std::string& id) {
    return on_database(where, service, [&](pg::transaction& tx) -> result<void> {
        const auto found = timers::find_timer(tx, id);
        if (!found) {
            return std::unexpected(missing(service, id));
        }
        http::json_writer json;
        add_json(json, service, *found);
        fmt::print("{}\n", json.take());
        return {};
    });
}

/// show and what changes state: on one service's database, by ids.
result<void> with_ids(const context& where, const arguments& given) {
    const auto& verb = given.rest().front();
    const bool shows = verb == "show";
    const auto act = shows ? result<action>(action()) : action_of(verb, given);
    const auto service = given.value("--service");
    const auto services = chosen_services(given);
    if (!act || !services) {
        return act ? fail(services) : fail(act);
    }
    if (!service || given.rest().size() < 2) {
        return misuse("--service NAME and an ID are needed");
    }
    for (std::size_t i = 1; i < given.rest().size(); ++i) {
        const auto& id = given.rest()[i];
        const auto done =
            shows ? show_one(where, *service, id) : change(where, given, *service, id, *act);
        if (!done) {
            return done;
        }
    }
    if (!shows && !given.has("--yes") && !given.has("--json")) {
        fmt::print("nothing was changed; say --yes to do it\n");
    }
    return {};
}

result<void> run_timers(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--service", "--kind", "--limit", "--at"},
                                        {"--json", "--failed", "--yes"});
    if (!given) {
        return fail(given);
    }
    const std::string verb = given->rest().empty() ? "" : given->rest().front();
    if (verb == "list") {
        return list(where, *given);
    }
    if (verb == "kinds") {
        return show_kinds(where, *given);
    }
    if (verb.empty()) {
        return misuse("list, kinds, show, cancel, reschedule, retry or run-now");
    }
    return with_ids(where, *given);
}

} // namespace

command timers_command() {
    return {
        "timers",
        "timers list|kinds|show|cancel|reschedule|retry|run-now [--service NAME] [ID…]\n"
        "      [--kind K] [--failed] [--limit N] [--at TIME] [--yes] [--json]",
        "what the services will do and when: the next ones (--failed: those given up), how many "
        "of each\n"
        "      kind; move, cancel, fire at once, try a given-up one again. Without --yes: only "
        "says what\n"
        "      it would do",
        run_timers};
}

} // namespace relais::ctl
