#include "inbox/invoke.hpp"

#include <algorithm>
#include <array>

namespace relais::inbox {
namespace {

constexpr std::array<std::string_view, outcome_count> outcome_names{
    "ok",      "erased", "stale",   "duplicate",  "unknown_type",
    "expired", "parked", "waiting", "dead_letter"};

constexpr std::array<std::string_view, 7> outages{
    "database-down",      "database-connections", "database-read-only", "database-resources",
    "database-disk-full", "database-system",      "commit-in-doubt"};

/// Without a handler running these come from our own statements, which only wait for other
/// instances.
constexpr std::array<std::string_view, 4> contention{"serialization", "deadlock",
                                                     "database-lock-timeout", "database-timeout"};

result<outcome> keep_snapshot(pg::transaction& tx, const turn& which, const context& about,
                              std::vector<events::snapshot_need>& arrived) {
    std::uint64_t taken = 0;
    const auto newer = [&](std::uint64_t version) {
        taken = version;
        return take_version(tx, which.group, which.with.snapshot_kind, which.event.key, version);
    };
    const auto kept = which.with.keep(tx, which.event, about, newer);
    if (!kept) {
        return fail(kept);
    }
    if (!*kept) {
        return outcome::stale;
    }
    arrived.push_back({which.with.snapshot_kind, which.event.key, taken});
    return outcome::handled;
}

result<outcome> run_handler(pg::transaction& tx, const turn& which, const context& about,
                            std::vector<events::snapshot_need>& arrived) {
    if (which.event.tombstone) {
        const auto erased = which.with.erase(tx, which.event.key, about);
        if (!erased) {
            return fail(erased);
        }
        erase_version(tx, which.group, which.with.snapshot_kind, which.event.key);
        arrived.push_back({which.with.snapshot_kind, which.event.key, any_version});
        return outcome::erased;
    }
    if (!which.with.snapshot_kind.empty()) {
        return keep_snapshot(tx, which, about, arrived);
    }
    std::optional<std::size_t> guilty; // there is only one
    const auto done = which.with.run_many ? which.with.run_many(tx, std::span(&about, 1), guilty)
                                          : which.with.run(tx, which.event, about);
    if (!done) {
        return fail(done);
    }
    return outcome::handled;
}

} // namespace

std::string_view to_string(outcome value) {
    return outcome_names[static_cast<std::size_t>(value)];
}

result<outcome> invoke(pg::transaction& tx, const turn& which,
                       std::vector<events::snapshot_need>& arrived) {
    const context about{which.event, which.now, which.attempt};
    const auto begun = which.all.before(tx, about);
    if (!begun) {
        return fail(begun);
    }
    auto done = run_handler(tx, which, about, arrived);
    if (!done) {
        return done;
    }
    const auto ended = which.all.success(tx, about);
    if (!ended) {
        return fail(ended);
    }
    return done;
}

result<void> invoke_many(pg::transaction& tx, const handlers& all, const handling& with,
                         std::span<const events::event* const> events, timestamp now,
                         std::optional<std::size_t>& guilty) {
    std::vector<context> about;
    about.reserve(events.size());
    for (const auto* event : events) {
        about.push_back({*event, now});
        auto begun = all.before(tx, about.back());
        if (!begun) {
            guilty = about.size() - 1;
            return begun;
        }
    }
    auto done = with.run_many(tx, about, guilty);
    if (!done) {
        return done;
    }
    for (std::size_t i = 0; i < about.size(); ++i) {
        auto ended = all.success(tx, about[i]);
        if (!ended) {
            guilty = i;
            return ended;
        }
    }
    return {};
}

bool is_outage(const error& failed, bool in_handler) {
    const std::string_view slug = failed.slug;
    const bool down = std::ranges::find(outages, slug) != outages.end() ||
                      (slug.starts_with("db-pool-") && slug != "db-pool-exception");
    return down || (!in_handler && std::ranges::find(contention, slug) != contention.end());
}

} // namespace relais::inbox
