#include "ctl/dead_letters_change.hpp"

#include "ctl/acting.hpp"
#include "ctl/databases.hpp"
#include "http/json_writer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

namespace relais::ctl {
namespace {

using steady = std::chrono::steady_clock;

constexpr double usual_rate = 50;
constexpr double rate_max = 10'000;
constexpr std::chrono::seconds progress_every{1};
constexpr const char* not_meant = "dry-run";

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
}

inbox::deed deed_of(const context& where, const arguments& given) {
    const auto who = acting_of(where, given);
    return {who.by, who.why};
}

struct tally {
    std::vector<std::int64_t> done;
    std::size_t taken = 0; ///< by somebody else at the same time
    std::vector<std::pair<std::int64_t, error>> refused;
};

using change = std::function<result<void>(pg::transaction&, std::int64_t id)>;

/// One letter's change in a transaction; a dry run takes it back, and so meets the same errors.
result<void> carry_out(service_database& on, std::int64_t id, bool meant, const change& act) {
    const auto done = on.run([&](pg::transaction& tx) -> result<void> {
        const auto acted = act(tx, id);
        return acted && !meant ? fail(error_kind::conflict, not_meant) : acted;
    });
    return !done && done.error().slug == not_meant ? result<void>() : done;
}

/// At a rate, in the order given; says how far it is each second, on standard error.
tally carry_out_all(service_database& on, const std::vector<std::int64_t>& ids, bool meant,
                    double rate, const change& act) {
    tally counted;
    const auto begin = steady::now();
    auto next_word = begin + progress_every;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (meant) {
            const std::chrono::duration<double> due(static_cast<double>(i) / rate);
            std::this_thread::sleep_until(begin +
                                          std::chrono::duration_cast<steady::duration>(due));
        }
        const auto done = carry_out(on, ids[i], meant, act);
        if (done) {
            counted.done.push_back(ids[i]);
        } else if (done.error().slug.starts_with("already-")) {
            ++counted.taken;
        } else {
            counted.refused.emplace_back(ids[i], done.error());
        }
        if (steady::now() >= next_word) {
            next_word += progress_every;
            fmt::print(stderr, "{} of {}\n", i + 1, ids.size());
        }
    }
    return counted;
}

void say(const arguments& given, const std::string& service, const tally& counted, bool meant) {
    const auto& verb = given.rest().front();
    if (given.has("--json")) {
        http::json_writer json;
        json.begin_object()
            .member("service", service)
            .member("action", verb)
            .member("done", meant)
            .member("taken_by_others", counted.taken)
            .begin_array("letters");
        for (const auto id : counted.done) {
            json.element(id);
        }
        json.end_array().begin_array("refused");
        for (const auto& [id, why] : counted.refused) {
            json.begin_object()
                .member("id", id)
                .member("error", why.slug)
                .member("detail", why.detail)
                .end_object();
        }
        json.end_array().end_object();
        fmt::print("{}\n", json.take());
        return;
    }
    fmt::print("{}: {}{} {} letter(s)\n", service, meant ? "" : "would ", verb,
               counted.done.size());
    if (counted.taken > 0) {
        fmt::print("{}: {} were settled before\n", service, counted.taken);
    }
    for (const auto& [id, why] : counted.refused) {
        fmt::print("{} {}: {}: {}\n", service, id, why.slug, why.detail);
    }
    if (!meant) {
        fmt::print("nothing was changed; say --yes to do it\n");
    }
}

/// On one service's database; fails when a letter was refused, or when all were taken.
result<void> change_letters(const context& where, const arguments& given,
                            const std::string& service, const std::vector<std::int64_t>& ids,
                            double rate, const change& act) {
    const auto server_url = required_variable(where, "RELAIS_MIGRATE_URL");
    if (!server_url) {
        return fail(server_url);
    }
    const bool meant = given.has("--yes");
    service_database on(*server_url, service);
    const auto counted = carry_out_all(on, ids, meant, rate, act);
    say(given, service, counted, meant);
    if (!counted.refused.empty()) {
        return fail(
            counted.refused.front().second.kind, counted.refused.front().second.slug,
            fmt::format("{} of {} letters were refused", counted.refused.size(), ids.size()));
    }
    if (counted.done.empty() && counted.taken > 0) {
        return fail(error_kind::conflict, "already-settled",
                    "dead-letters list --settled shows by whom: dead-letters audit ID");
    }
    return {};
}

result<std::string> service_of(const arguments& given) {
    const auto service = given.value("--service");
    const auto known = chosen_services(given);
    if (!known) {
        return fail(known);
    }
    return service ? result<std::string>(*service) : misuse("--service NAME is needed");
}

result<std::string> read_all(const std::string& path) {
    if (path == "-") {
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    }
    std::ifstream from(path, std::ios::binary);
    if (!from) {
        return fail(error_kind::not_found, "no-such-file", path);
    }
    return std::string(std::istreambuf_iterator<char>(from), {});
}

} // namespace

result<double> parse_rate(const std::string& text) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string unit(end, text.data() + text.size());
    const double rate = unit == "/m" ? number / 60 : number;
    if (failed != std::errc() || (!unit.empty() && unit != "/s" && unit != "/m") ||
        !(rate > 0 && rate <= rate_max)) {
        return misuse("--rate wants a rate like 50/s or 600/m");
    }
    return rate;
}

result<std::vector<std::int64_t>> ids_of(const arguments& given) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 1; i < given.rest().size(); ++i) {
        const auto& text = given.rest()[i];
        std::int64_t id = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (failed != std::errc() || end != text.data() + text.size()) {
            return misuse(fmt::format("{} is no id", text));
        }
        ids.push_back(id);
    }
    return ids;
}

result<void> redrive_letters(const context& where, const arguments& given,
                             const inbox::dead_letter_filter& filter) {
    const auto ids = ids_of(given);
    const auto rate =
        given.value("--rate") ? parse_rate(*given.value("--rate")) : result<double>(usual_rate);
    if (!ids || !rate) {
        return ids ? fail(rate) : fail(ids);
    }
    const bool filtered = given.has("--all") || !filter.topic.empty() || !filter.reason.empty() ||
                          !filter.fingerprint.empty();
    if (ids->empty() != filtered || (!ids->empty() && !given.value("--service"))) {
        return misuse("redrive ID… --service NAME; or --all, --fingerprint, --topic, --reason");
    }
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    const change act = [doing = deed_of(where, given)](pg::transaction& tx, std::int64_t id) {
        return inbox::redrive(tx, id, system_clock().now(), doing);
    };
    for (const auto& service : *services) {
        auto chosen = *ids;
        const auto found = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
            if (filtered) {
                chosen = inbox::find_redrivable(tx, filter, given.has("--quarantined"));
            }
            return {};
        });
        if (!found) {
            return found;
        }
        const auto done = change_letters(where, given, service, chosen, *rate, act);
        if (!done) {
            return done;
        }
    }
    return {};
}

result<void> edit_letter(const context& where, const arguments& given) {
    const auto service = service_of(given);
    const auto ids = ids_of(given);
    const auto file = given.value("--data");
    if (!service || !ids) {
        return service ? fail(ids) : fail(service);
    }
    if (ids->size() != 1 || !file) {
        return misuse("edit ID --data FILE (the message as JSON; - reads standard input)");
    }
    const auto json = read_all(*file);
    if (!json) {
        return fail(json);
    }
    const bool redrives = given.has("--redrive");
    const change act = [&, doing = deed_of(where, given)](pg::transaction& tx,
                                                          std::int64_t id) -> result<void> {
        const auto now = system_clock().now();
        const auto edited = inbox::edit(tx, id, *json, now, doing);
        return edited && redrives ? inbox::redrive(tx, id, now, doing) : edited;
    };
    return change_letters(where, given, *service, *ids, usual_rate, act);
}

result<void> discard_letters(const context& where, const arguments& given) {
    const auto service = service_of(given);
    const auto ids = ids_of(given);
    if (!service || !ids) {
        return service ? fail(ids) : fail(service);
    }
    if (ids->empty() || given.value("--why").value_or("").empty()) {
        return misuse("discard ID… --why REASON");
    }
    const change act = [doing = deed_of(where, given)](pg::transaction& tx, std::int64_t id) {
        return inbox::discard(tx, id, system_clock().now(), doing);
    };
    return change_letters(where, given, *service, *ids, rate_max, act);
}

} // namespace relais::ctl
