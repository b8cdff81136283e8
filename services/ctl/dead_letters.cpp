#include "inbox/dead_letters.hpp"

#include "clock/rfc3339.hpp"
#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ctl/dead_letters_change.hpp"
#include "ctl/listing.hpp"
#include "inbox/dead_letter_json.hpp"

#include <fmt/format.h>

namespace relais::ctl {
namespace {

constexpr std::size_t listed_max = 1'000;
constexpr std::size_t redriven_max = 1'000'000;

inbox::dead_letter_filter filter_of(const arguments& given, std::size_t limit) {
    return {.topic = given.value("--topic").value_or(""),
            .reason = given.value("--reason").value_or(""),
            .redriven = given.has("--redriven") || given.has("--settled"),
            .fingerprint = given.value("--fingerprint").value_or(""),
            .limit = limit};
}

void print_text(const std::string& service, const inbox::dead_letter& letter) {
    fmt::print("{} {:>6}  {}  {}  {}  {} attempts  {}/{}@{}{}{}\n", service, letter.id,
               to_rfc3339(letter.dead_at), letter.reason,
               letter.type.empty() ? "(unreadable)" : letter.type, letter.attempts, letter.topic,
               letter.partition, letter.offset, letter.redrives > 0 ? "  quarantined" : "",
               letter.state() == "open" ? "" : fmt::format("  {}", letter.state()));
}

void print_text(const std::string& service, const inbox::dead_letter_group& group) {
    fmt::print("{} {:>12}  {:>6} letters ({} quarantined)  {}  {}  {}\n      {}, newest {}: {}\n",
               service, group.fingerprint, group.letters, group.quarantined, group.reason,
               group.type.empty() ? "(unreadable)" : group.type, group.topic, group.pattern,
               group.example, to_rfc3339(group.newest));
}

void print_text(const std::string& service, const inbox::dead_letter_deed& deed) {
    fmt::print("{} {:>6}  {}  {} by {}{}{}\n", service, deed.letter, to_rfc3339(deed.at), deed.what,
               deed.who, deed.why.empty() ? "" : ": ", deed.why);
}

/// Prints what `find` finds in each service, as lines or as one JSON object with one array.
template <class Find>
result<void> print_all(const context& where, const arguments& given, std::string_view name,
                       Find find) {
    const auto add = [&](pg::transaction& tx, const std::string& service, http::json_writer& json) {
        const auto found = find(tx);
        for (const auto& each : found) {
            inbox::write_json(json, each, service);
            if (!given.has("--json")) {
                print_text(service, each);
            }
        }
        return found.size();
    };
    const std::string_view none = name == "deeds" ? "nothing was done" : "no dead letters";
    return print_listing(where, given, {.name = name, .none = none}, add);
}

result<void> show(const context& where, const arguments& given) {
    const auto service = given.value("--service");
    const auto services = chosen_services(given);
    const auto ids = ids_of(given);
    if (!services || !ids) {
        return services ? fail(ids) : fail(services);
    }
    if (!service || ids->empty()) {
        return fail(error_kind::invalid, "usage", "--service NAME and an ID are needed");
    }
    return on_database(where, *service, [&](pg::transaction& tx) -> result<void> {
        for (const auto id : *ids) {
            const auto letter = inbox::find_dead_letter(tx, id);
            if (!letter) {
                return fail(error_kind::not_found, "no-such-dead-letter", std::to_string(id));
            }
            fmt::print("{}\n", inbox::full_json(*letter, *service));
        }
        return {};
    });
}

result<void> audit(const context& where, const arguments& given) {
    const auto ids = ids_of(given);
    if (!ids) {
        return fail(ids);
    }
    const auto id = ids->empty() ? std::nullopt : std::optional(ids->front());
    return print_all(where, given, "deeds",
                     [id](pg::transaction& tx) { return inbox::list_deeds(tx, id, listed_max); });
}

result<void> run_dead_letters(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(
        words,
        {"--service", "--topic", "--reason", "--fingerprint", "--rate", "--by", "--why", "--data"},
        {"--json", "--redriven", "--settled", "--all", "--quarantined", "--redrive", "--yes"});
    if (!given) {
        return fail(given);
    }
    const std::string verb = given->rest().empty() ? "" : given->rest().front();
    if (verb == "list") {
        return print_all(where, *given, "dead_letters", [&](pg::transaction& tx) {
            return inbox::list_dead_letters(tx, filter_of(*given, listed_max));
        });
    }
    if (verb == "groups") {
        return print_all(where, *given, "groups", [&](pg::transaction& tx) {
            return inbox::group_dead_letters(tx, filter_of(*given, listed_max));
        });
    }
    if (verb == "show") {
        return show(where, *given);
    }
    if (verb == "audit") {
        return audit(where, *given);
    }
    if (verb == "redrive") {
        return redrive_letters(where, *given, filter_of(*given, redriven_max));
    }
    if (verb == "edit") {
        return edit_letter(where, *given);
    }
    if (verb == "discard") {
        return discard_letters(where, *given);
    }
    return fail(error_kind::invalid, "usage",
                "list, groups, show, audit, redrive, edit or discard");
}

} // namespace

command dead_letters_command() {
    return {"dead-letters",
            "dead-letters list|groups|show|audit|redrive|edit|discard [--service NAME] [ID…]\n"
            "      [--topic T] [--reason R] [--fingerprint F] [--settled] [--json]\n"
            "      redrive: [--all] [--quarantined] [--rate 50/s]; edit: --data FILE [--redrive];\n"
            "      discard: --why REASON; all three: [--yes] [--by NAME] [--why REASON]",
            "events that could not be handled: list them, or group them by error; show one "
            "decoded with\n"
            "      its errors; give some back to their service, in the order of their keys (one "
            "that failed\n"
            "      again is in quarantine); correct one; discard one; see who did what. Without "
            "--yes: only\n"
            "      says what it would do",
            run_dead_letters};
}

} // namespace relais::ctl
