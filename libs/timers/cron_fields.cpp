#include "timers/cron_fields.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace relais::timers {
namespace {

using namespace std::chrono;

constexpr std::array month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                 "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/// Longer than any day of the year waits for a day of the week (40 years around 2100).
constexpr days searched{50 * 366};

struct field_kind {
    std::string_view name;
    int lowest = 0;
    int highest = 0;
    std::span<const char* const> names; ///< of lowest, lowest + 1 …
};

constexpr std::array<field_kind, 5> kinds{{{"minute", 0, 59, {}},
                                           {"hour", 0, 23, {}},
                                           {"day of month", 1, 31, {}},
                                           {"month", 1, 12, month_names},
                                           {"day of week", 0, 7, weekday_names}}};

struct shorthand {
    std::string_view name;
    std::string_view meaning;
};

constexpr std::array<shorthand, 7> shorthands{{{"@yearly", "0 0 1 1 *"},
                                               {"@annually", "0 0 1 1 *"},
                                               {"@monthly", "0 0 1 * *"},
                                               {"@weekly", "0 0 * * 0"},
                                               {"@daily", "0 0 * * *"},
                                               {"@midnight", "0 0 * * *"},
                                               {"@hourly", "0 * * * *"}}};

std::unexpected<error> refuse(std::string detail) {
    return fail(error_kind::invalid, "cron-expression", std::move(detail));
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find_first_of(separators, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& each : out) {
        if (each >= 'A' && each <= 'Z') {
            each = static_cast<char>(each - 'A' + 'a');
        }
    }
    return out;
}

result<int> read_number(std::string_view text, const field_kind& kind) {
    for (std::size_t i = 0; i < kind.names.size(); ++i) {
        if (lower(text) == kind.names[i]) {
            return kind.lowest + static_cast<int>(i);
        }
    }
    int number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || number < kind.lowest ||
        number > kind.highest) {
        return refuse(fmt::format("\"{}\" in the field {}: {} to {}{} wanted", text, kind.name,
                                  kind.lowest, kind.highest,
                                  kind.names.empty() ? "" : " or an English name's first letters"));
    }
    return number;
}

struct range {
    int from = 0;
    int to = 0;
    int step = 1;
};

/// `*`, `7`, `mon-fri`, `*/15`, `10-50/5`.
result<range> read_range(std::string_view text, const field_kind& kind) {
    const auto slash = text.find('/');
    const auto span = text.substr(0, slash);
    range read{kind.lowest, kind.name == "day of week" ? 6 : kind.highest};
    const auto dash = span.find('-');
    if (span != "*") {
        const auto from = read_number(span.substr(0, dash), kind);
        const auto to =
            dash == std::string_view::npos ? from : read_number(span.substr(dash + 1), kind);
        if (!from || !to) {
            return fail(from ? to : from);
        }
        read.from = *from;
        read.to = *to;
    }
    if (read.from > read.to) {
        return refuse(fmt::format("\"{}\" in the field {}: from the smaller to the greater one",
                                  span, kind.name));
    }
    if (slash == std::string_view::npos) {
        return read;
    }
    const auto step = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(step.data(), step.data() + step.size(), read.step);
    if (failed != std::errc() || end != step.data() + step.size() || read.step < 1 ||
        (span != "*" && dash == std::string_view::npos)) {
        return refuse(fmt::format("\"{}\" in the field {}: a step is written */5 or 10-50/5", text,
                                  kind.name));
    }
    return read;
}

template <std::size_t Size>
result<void> read_field(std::string_view text, const field_kind& kind, std::bitset<Size>& out) {
    for (const auto part : split(text, ",")) {
        const auto read = read_range(part, kind);
        if (!read) {
            return fail(read);
        }
        for (int value = read->from; value <= read->to; value += read->step) {
            out.set(static_cast<std::size_t>(value) % Size); // Sunday is 7, too
        }
    }
    return {};
}

std::vector<std::string_view> words_of(std::string_view expression) {
    for (const auto& [name, meaning] : shorthands) {
        if (expression == name) {
            expression = meaning;
        }
    }
    auto words = split(expression, " \t");
    std::erase(words, "");
    return words;
}

} // namespace

result<cron_fields> cron_fields::parse(std::string_view expression) {
    const auto words = words_of(expression);
    if (words.size() != kinds.size()) {
        return refuse(fmt::format("\"{}\": five fields wanted (minute, hour, day of month, month, "
                                  "day of week), or @yearly @monthly @weekly @daily @hourly",
                                  expression));
    }
    cron_fields out;
    for (const auto& read :
         {read_field(words[0], kinds[0], out.minutes), read_field(words[1], kinds[1], out.hours),
          read_field(words[2], kinds[2], out.days), read_field(words[3], kinds[3], out.months),
          read_field(words[4], kinds[4], out.weekdays)}) {
        if (!read) {
            return fail(read);
        }
    }
    out.every_hour = words[1].starts_with('*');
    out.any_day = words[2].starts_with('*');
    out.any_weekday = words[4].starts_with('*');
    if (!out.first_from(local_days(2000y / January / 1))) {
        return refuse(fmt::format("\"{}\": such a day never comes", expression));
    }
    return out;
}

bool cron_fields::includes(local_days day) const {
    const year_month_day date(day);
    const bool on_day = days[static_cast<unsigned>(date.day())];
    const bool on_weekday = weekdays[weekday(day).c_encoding()];
    const bool either = !any_day && !any_weekday;
    return months[static_cast<unsigned>(date.month())] &&
           (either ? on_day || on_weekday : on_day && on_weekday);
}

std::optional<local_seconds> cron_fields::first_from(local_seconds wall) const {
    const auto from = ceil<std::chrono::minutes>(wall);
    const auto first_day = floor<std::chrono::days>(from);
    for (auto day = first_day; day < first_day + searched; day += std::chrono::days(1)) {
        if (!includes(day)) {
            continue;
        }
        const auto begin = day == first_day ? from - day : std::chrono::minutes(0);
        for (auto minute = begin; minute < std::chrono::days(1);) {
            if (!hours[static_cast<std::size_t>(minute / std::chrono::hours(1))]) {
                minute = floor<std::chrono::hours>(minute) + std::chrono::hours(1);
            } else if (!minutes[static_cast<std::size_t>(minute.count() % 60)]) {
                ++minute;
            } else {
                return day + minute;
            }
        }
    }
    return std::nullopt;
}

} // namespace relais::timers
