#include "timers/timers.hpp"

#include "clock/rfc3339.hpp"
#include "ctl/acting.hpp"
#include "ctl/databases.hpp"
#include "ctl/timers_list.hpp"

#include <fmt/format.h>

namespace relais::ctl {
namespace {

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
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
        if (acted) {
            note_act(tx, acting_of(where, given), service, "timer." + verb, "timer/" + id);
        }
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
        write_timer(json, service, *before);
        json.end_array().end_object();
        fmt::print("{}\n", json.take());
    } else {
        fmt::print("{}{}: ", dry ? "would " : "", verb);
        print_timer(service, *before);
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
        write_timer(json, service, *found);
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
    const auto given =
        arguments::parse(words, {"--service", "--kind", "--limit", "--at", "--by", "--why"},
                         {"--json", "--failed", "--yes"});
    if (!given) {
        return fail(given);
    }
    const std::string verb = given->rest().empty() ? "" : given->rest().front();
    if (verb == "list") {
        return list_timers(where, *given);
    }
    if (verb == "kinds") {
        return count_timers(where, *given);
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
        "      [--kind K] [--failed] [--limit N] [--at TIME] [--by WHO] [--why TEXT] [--yes] "
        "[--json]",
        "what the services will do and when: the next ones (--failed: those given up), how many "
        "of each\n"
        "      kind; move, cancel, fire at once, try a given-up one again. Without --yes: only "
        "says what\n"
        "      it would do",
        run_timers};
}

} // namespace relais::ctl
