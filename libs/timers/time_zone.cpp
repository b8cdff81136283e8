#include "timers/time_zone.hpp"

#include <fmt/format.h>
#include <unicode/timezone.h>

#include <stdexcept>

namespace relais::timers {

using namespace std::chrono;

struct time_zone::rules {
    std::unique_ptr<icu::TimeZone> zone;
};

namespace {

/// ICU also takes "GMT+3" and answers unknown names with GMT; neither is an IANA name.
bool is_iana_name(const icu::UnicodeString& name) {
    UErrorCode status = U_ZERO_ERROR;
    UBool is_of_system = 0;
    icu::UnicodeString canonical;
    icu::TimeZone::getCanonicalID(name, canonical, is_of_system, status);
    return U_SUCCESS(status) && is_of_system != 0 && canonical != "Etc/Unknown";
}

} // namespace

time_zone::time_zone(std::shared_ptr<const rules> of) : rules_(std::move(of)) {}

result<time_zone> time_zone::find(std::string_view name) {
    const auto wanted = icu::UnicodeString::fromUTF8(
        icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size())));
    if (!is_iana_name(wanted)) {
        return fail(
            error_kind::invalid, "time-zone",
            fmt::format("\"{}\" is no IANA time zone; one is named like Europe/Brussels", name));
    }
    return time_zone(std::make_shared<const rules>(
        rules{std::unique_ptr<icu::TimeZone>(icu::TimeZone::createTimeZone(wanted))}));
}

seconds time_zone::offset_at(sys_seconds moment) const {
    UErrorCode status = U_ZERO_ERROR;
    std::int32_t standard_ms = 0;
    std::int32_t saving_ms = 0;
    const auto since_epoch = duration_cast<milliseconds>(moment.time_since_epoch());
    rules_->zone->getOffset(static_cast<UDate>(since_epoch.count()), 0, standard_ms, saving_ms,
                            status);
    if (U_FAILURE(status)) {
        throw std::runtime_error(fmt::format("ICU: {}", u_errorName(status)));
    }
    return floor<seconds>(milliseconds(standard_ms + saving_ms));
}

local_seconds time_zone::wall_at(sys_seconds moment) const {
    return local_seconds((moment + offset_at(moment)).time_since_epoch());
}

bool time_zone::changes_near(sys_seconds moment) const {
    return offset_at(moment - days(1)) != offset_at(moment + days(1));
}

time_zone::moments time_zone::moments_of(local_seconds wall) const {
    const sys_seconds as_utc(wall.time_since_epoch());
    auto earlier = as_utc - days(1);
    auto later = as_utc + days(1);
    const auto before = offset_at(earlier);
    const auto after = offset_at(later);
    if (before == after) {
        return {as_utc - before, as_utc - before};
    }
    // The first second of the new offset. Clocks are not set twice in two days.
    while (later - earlier > seconds(1)) {
        const auto middle = earlier + (later - earlier) / 2;
        (offset_at(middle) == before ? earlier : later) = middle;
    }
    const auto by_old = as_utc - before;
    const auto by_new = as_utc - after;
    if (by_old < later) {
        return {by_old, by_new >= later ? by_new : by_old};
    }
    return by_new >= later ? moments{by_new, by_new} : moments{later, later, false};
}

} // namespace relais::timers
