#include "timers/firing.hpp"

#include "clock/rfc3339.hpp"
#include "timers/cron.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::timers {
namespace {

/// Which due time a cron timer fires for, and the one after that.
struct turn {
    timestamp fires_for{};
    timestamp next{};
    bool missed = false; ///< nothing fires
};

turn turn_of(const cron& when, const claimed_timer& claimed, timestamp now) {
    const auto due = claimed.what.due_at;
    switch (claimed.repeats->catch_up) {
    case catch_up::all:
        return {due, when.next_after(due)};
    case catch_up::once: {
        const auto latest = when.latest_until(due, now);
        return {latest, when.next_after(latest)};
    }
    case catch_up::skip:
        // A due time that was tried is not missed, however long its retries take.
        return {due, when.next_after(std::max(due, now)),
                claimed.attempt == 1 && now - due > missed_after};
    }
    return {due, when.next_after(due)};
}

error deadline_passed(const timer& what) {
    return {error_kind::timeout, "expired",
            "its deadline passed at " + to_rfc3339(*what.expires_at), "", std::nullopt};
}

error crashed(int attempts) {
    return {error_kind::internal, "crashed",
            fmt::format("the process ended during the last of {} attempts", attempts), "",
            std::nullopt};
}

result<fired> fire_repeated(pg::transaction& tx, const claimed_timer& claimed,
                            const handler& effect, timestamp now) {
    const auto when = cron::parse(claimed.repeats->expression, claimed.repeats->time_zone);
    if (!when) {
        return fail(when);
    }
    const auto current = turn_of(*when, claimed, now);
    auto due = advance(tx, claimed, current.next);
    if (!due) {
        return fired::gone;
    }
    if (current.missed) {
        return fired::skipped;
    }
    due->due_at = current.fires_for;
    const auto done = effect(tx, *due, now);
    return done ? result<fired>(fired::yes) : fail(done);
}

bool give_up(pg::transaction& tx, const claimed_timer& claimed, const error& why, timestamp now) {
    const auto when = claimed.repeats
                          ? cron::parse(claimed.repeats->expression, claimed.repeats->time_zone)
                          : result<cron>(fail(error_kind::invalid, "no-cron"));
    if (!when) {
        return mark_failed(tx, claimed, why, now);
    }
    const auto current = turn_of(*when, claimed, now);
    auto due = advance(tx, claimed, current.next);
    if (!due) {
        return false;
    }
    due->due_at = current.fires_for;
    due->id += "@" + to_rfc3339(due->due_at);
    schedule(tx, *due);
    return mark_failed(tx, {.what = *due, .attempt = 0}, why, now);
}

} // namespace

result<fired> fire(pg::transaction& tx, const claimed_timer& claimed, const handler& effect,
                   const policy& failures, timestamp now) {
    const auto& what = claimed.what;
    if (now < what.due_at) {
        give_back(tx, {claimed});
        return fired::early;
    }
    if (what.expires_at && now > *what.expires_at) {
        return give_up(tx, claimed, deadline_passed(what), now) ? fired::expired : fired::gone;
    }
    if (claimed.attempt > failures.attempts_max) {
        const auto given_up = give_up(tx, claimed, crashed(claimed.attempt - 1), now);
        return given_up ? fired::crashed : fired::gone;
    }
    if (claimed.repeats) {
        return fire_repeated(tx, claimed, effect, now);
    }
    const auto due = take(tx, claimed);
    if (!due) {
        return fired::gone;
    }
    // After take(), so that a handler may set the same timer anew.
    const auto done = effect(tx, *due, now);
    return done ? result<fired>(fired::yes) : fail(done);
}

bool settle(pg::transaction& tx, const claimed_timer& claimed, const policy& failures,
            const error& why, timestamp now, std::uint64_t random) {
    const auto wait = failures.wait_after(claimed.attempt, why, random);
    const auto& deadline = claimed.what.expires_at;
    if (!wait || (deadline && now + *wait > *deadline)) {
        return give_up(tx, claimed, why, now);
    }
    put_back(tx, claimed, now + *wait, why, now);
    return false;
}

} // namespace relais::timers
