#include "clock/rfc3339.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace relais {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct broken_down {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<microseconds> time;
    std::chrono::weekday weekday;
};

broken_down break_down(timestamp time) {
    const auto day = std::chrono::floor<days>(time);
    return {day, std::chrono::hh_mm_ss<microseconds>(time - day), std::chrono::weekday(day)};
}

/// Reads exactly `digits` decimal digits at `at` and moves it; -1 when they are not there.
int read_number(std::string_view text, std::size_t& at, std::size_t digits) {
    if (at + digits > text.size()) {
        return -1;
    }
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        const char c = text[at + i];
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    at += digits;
    return value;
}

bool read_character(std::string_view text, std::size_t& at, std::string_view any_of) {
    if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) {
        return false;
    }
    ++at;
    return true;
}

/// ".123" → 123000 µs; nothing there → 0; a lone dot or more than nine digits → -1.
std::int64_t read_fraction(std::string_view text, std::size_t& at) {
    if (at >= text.size() || text[at] != '.') {
        return 0;
    }
    ++at;
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
        if (digits < 6) {
            value = value * 10 + (text[at] - '0');
        }
    }
    if (digits == 0 || digits > 9) {
        return -1;
    }
    for (; digits < 6; ++digits) {
        value *= 10;
    }
    return value;
}

/// "Z" or "+01:00" → minutes east of UTC.
std::optional<minutes> read_offset(std::string_view text, std::size_t& at) {
    if (read_character(text, at, "Zz")) {
        return minutes(0);
    }
    const bool west = at < text.size() && text[at] == '-';
    if (!read_character(text, at, "+-")) {
        return std::nullopt;
    }
    const int hour = read_number(text, at, 2);
    const bool colon = read_character(text, at, ":");
    const int minute = read_number(text, at, 2);
    if (hour < 0 || hour > 23 || !colon || minute < 0 || minute > 59) {
        return std::nullopt;
    }
    const minutes east = hours(hour) + minutes(minute);
    return west ? -east : east;
}

} // namespace

std::string to_rfc3339(timestamp time) {
    const auto [date, clock, weekday] = break_down(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::string to_http_date(timestamp time) {
    static constexpr std::array weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto [date, clock, weekday] = break_down(time);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[weekday.c_encoding()],
                       static_cast<unsigned>(date.day()),
                       months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

result<timestamp> parse_rfc3339(std::string_view text) {
    const auto bad = [] {
        return fail(error_kind::invalid, "invalid-time", "not a time as in 2026-01-31T12:00:00Z");
    };
    std::size_t at = 0;
    const int year = read_number(text, at, 4);
    const bool dash1 = read_character(text, at, "-");
    const int month = read_number(text, at, 2);
    const bool dash2 = read_character(text, at, "-");
    const int day = read_number(text, at, 2);
    const bool separator = read_character(text, at, "Tt ");
    const int hour = read_number(text, at, 2);
    const bool colon1 = read_character(text, at, ":");
    const int minute = read_number(text, at, 2);
    const bool colon2 = read_character(text, at, ":");
    const int second = read_number(text, at, 2);
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || !dash1 ||
        !dash2 || !separator || !colon1 || !colon2) {
        return bad();
    }
    const std::int64_t fraction = read_fraction(text, at);
    const auto offset = read_offset(text, at);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60 || fraction < 0 || !offset ||
        at != text.size()) {
        return bad();
    }
    return std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second) +
           microseconds(fraction) - *offset;
}

} // namespace relais
