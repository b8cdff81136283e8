#include "inbox/one_off.hpp"

#include "clock/rfc3339.hpp"
#include "events/topics.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <map>

namespace asio = boost::asio;

namespace relais::inbox {
namespace {

using options = std::map<std::string, std::string, std::less<>>;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

std::unexpected<error> wrong(std::string what) {
    return fail(error_kind::invalid, "usage", std::move(what));
}

std::optional<std::int64_t> to_number(std::string_view text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.begin(), text.end(), number);
    const bool whole = read.ec == std::errc() && read.ptr == text.end() && number >= 0;
    return whole ? std::optional(number) : std::nullopt;
}

result<options> read_options(std::span<const std::string> words) {
    options given;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        const bool flag = word == "--live" || word == "--json";
        const bool valued = word == "--name" || word == "--from" || word == "--until" ||
                            word == "--partition" || word == "--key" || word == "--type" ||
                            word == "--by" || word == "--why";
        if (flag) {
            given.emplace(word.substr(2), "yes");
        } else if (valued && i + 1 < words.size()) {
            given.emplace(word.substr(2), words[++i]);
        } else {
            return wrong(fmt::format("'{}' is unknown, or its value is missing", word));
        }
    }
    return given;
}

/// A number is an offset, anything else a time.
result<void> read_bound(std::string_view text, std::optional<std::int64_t>& offset,
                        std::optional<timestamp>& time) {
    offset = to_number(text);
    if (offset) {
        return {};
    }
    const auto parsed = parse_rfc3339(text);
    if (!parsed) {
        return wrong(
            fmt::format("'{}' is neither an offset nor a time (2026-01-31T08:00:00Z)", text));
    }
    time = *parsed;
    return {};
}

result<void> read_bounds(const options& given, replay_request& what) {
    if (const auto from = given.find("from"); from != given.end()) {
        auto read = read_bound(from->second, what.from_offset, what.from_time);
        if (!read) {
            return read;
        }
    }
    if (const auto until = given.find("until"); until != given.end()) {
        auto read = read_bound(until->second, what.until_offset, what.until_time);
        if (!read) {
            return read;
        }
    }
    if (const auto partition = given.find("partition"); partition != given.end()) {
        const auto number = to_number(partition->second);
        if (!number) {
            return wrong("--partition wants a number");
        }
        what.partition = static_cast<std::int32_t>(*number);
    }
    if ((what.from_offset || what.until_offset) && !what.partition) {
        return wrong("offsets belong to a partition: add --partition N, or give times");
    }
    return {};
}

std::string value_of(const options& given, std::string_view name) {
    const auto found = given.find(name);
    return found == given.end() ? std::string() : found->second;
}

/// "insert into delivery", of a statement.
std::string_view head_of(std::string_view statement) {
    const auto end = statement.find_first_of("(\n", 0);
    const auto head = statement.substr(0, std::min<std::size_t>(end, 60));
    return head.substr(0, head.find_last_not_of(' ') + 1);
}

void print_text(const replayed& event) {
    fmt::print("{}/{} {} {} {}", event.record.partition, event.record.offset,
               event.event == nullptr ? std::string("unreadable") : event.event->type,
               event.record.key, to_string(event.what));
    if (event.reason) {
        fmt::print(": {} ({})", event.reason->slug, event.reason->detail);
    }
    fmt::print("\n");
    for (const auto& each : event.effects) {
        fmt::print("    {}: {} row{}\n", head_of(each.statement), each.rows,
                   each.rows == 1 ? "" : "s");
    }
}

void print_json(const replayed& event) {
    boost::json::array effects;
    for (const auto& each : event.effects) {
        effects.push_back({{"statement", each.statement}, {"rows", each.rows}});
    }
    boost::json::object line{{"partition", event.record.partition},
                             {"offset", event.record.offset},
                             {"key", event.record.key},
                             {"type", event.event == nullptr ? "" : event.event->type},
                             {"outcome", to_string(event.what)},
                             {"effects", std::move(effects)}};
    if (event.reason) {
        line["error"] = {{"slug", event.reason->slug}, {"detail", event.reason->detail}};
    }
    fmt::print("{}\n", boost::json::serialize(line));
}

void print_progress(const replay_progress& now) {
    fmt::print(stderr, "read {}, done {}, skipped {}, failed {}, {} to go", now.read, now.done,
               now.skipped, now.failed, now.remaining);
    if (!now.waits_for.empty()) {
        fmt::print(stderr, "; waits for the {} since {} s", now.waits_for, now.waited.count());
    }
    fmt::print(stderr, "\n");
}

} // namespace

result<replay_request> parse_replay(std::span<const std::string> words) {
    if (words.empty() || events::find_topic(words.front()) == nullptr) {
        return wrong("the first word is a topic of the catalogue (relaisctl topics list)");
    }
    const auto given = read_options(words.subspan(1));
    if (!given) {
        return fail(given);
    }
    replay_request what{.topic = words.front(),
                        .name = value_of(*given, "name"),
                        .live = given->contains("live"),
                        .by = value_of(*given, "by"),
                        .why = value_of(*given, "why"),
                        .key = value_of(*given, "key"),
                        .type = value_of(*given, "type")};
    const auto bounds = read_bounds(*given, what);
    if (!bounds) {
        return fail(bounds);
    }
    if (what.live && what.name.empty()) {
        return wrong("--live wants a --name: run again under it, it goes on where it stopped");
    }
    if (what.name.empty()) {
        what.name = "muted";
    }
    return what;
}

asio::awaitable<int> run_drain(consumer& inbox) {
    const bool drained = co_await inbox.drain();
    if (!drained) {
        fmt::print(stderr, "cut short: what is left is handled by the next run\n");
        co_return exit_failed;
    }
    fmt::print("drained: everything that was there is handled, parked or a dead letter\n");
    co_return 0;
}

asio::awaitable<int> run_replay(consumer& inbox, std::vector<std::string> words) {
    const bool json = std::ranges::find(words, "--json") != words.end();
    auto what = parse_replay(words);
    if (!what) {
        fmt::print(stderr, "replay: {}\n\n  {}\n", what.error().detail, replay_usage);
        co_return exit_usage;
    }
    auto shown = std::chrono::steady_clock::now();
    auto report = [json, &shown](const replayed* event, const replay_progress& now) {
        if (event != nullptr) {
            json ? print_json(*event) : print_text(*event);
        } else if (std::chrono::steady_clock::now() - shown > std::chrono::seconds(1)) {
            shown = std::chrono::steady_clock::now();
            print_progress(now);
        }
    };
    const auto done = co_await inbox.replay(*std::move(what), report);
    if (!done) {
        fmt::print(stderr, "replay: {} ({})\n", done.error().slug, done.error().detail);
        co_return exit_failed;
    }
    print_progress(*done);
    co_return done->failed == 0 ? 0 : exit_failed;
}

} // namespace relais::inbox
