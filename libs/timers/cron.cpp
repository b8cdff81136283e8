#include "timers/cron.hpp"

#include <algorithm>
#include <stdexcept>

namespace relais::timers {

using namespace std::chrono;

namespace {

/// No clock is set by more.
constexpr hours greatest_change{3};

local_seconds found(std::optional<local_seconds> wall) {
    if (!wall) {
        throw std::logic_error("a cron expression that passed parse() is never due");
    }
    return *wall;
}

} // namespace

result<cron> cron::parse(std::string_view expression, std::string_view zone) {
    const auto fields = cron_fields::parse(expression);
    if (!fields) {
        return fail(fields);
    }
    auto place = time_zone::find(zone);
    if (!place) {
        return fail(place);
    }
    return cron(*fields, *std::move(place));
}

sys_seconds cron::next_of_fixed(sys_seconds moment) const {
    auto wall = zone_.wall_at(moment);
    while (true) {
        wall = found(fields_.first_from(wall));
        const auto due = zone_.moments_of(wall).first;
        if (due > moment) {
            return due;
        }
        wall += minutes(1);
    }
}

sys_seconds cron::next_of_every_hour(sys_seconds moment) const {
    // Where clocks are set back, times that were shown already come again.
    auto wall = zone_.wall_at(moment);
    wall -= zone_.changes_near(moment) ? greatest_change : hours(0);
    std::optional<sys_seconds> next;
    while (true) {
        wall = found(fields_.first_from(wall));
        const auto at = zone_.moments_of(wall);
        for (const auto each : {at.first, at.last}) {
            if (at.exists && each > moment) {
                next = std::min(each, next.value_or(each));
            }
        }
        if (next && at.first > moment) {
            return *next;
        }
        wall += minutes(1);
    }
}

timestamp cron::next_after(timestamp moment) const {
    const auto second = floor<seconds>(moment);
    return fields_.every_hour ? next_of_every_hour(second) : next_of_fixed(second);
}

timestamp cron::latest_until(timestamp due, timestamp now) const {
    // Halving the time in which the last one must lie.
    auto latest = due;
    auto end = now;
    while (next_after(latest) <= now) {
        const auto middle = latest + (end - latest) / 2;
        const auto after_middle = next_after(middle);
        if (after_middle <= now) {
            latest = after_middle;
        } else {
            end = middle;
        }
    }
    return latest;
}

} // namespace relais::timers
