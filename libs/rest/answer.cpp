#include "rest/client.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace relais::rest {
namespace {

constexpr std::chrono::seconds a_day{86'400};

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

/// IMF-fixdate (RFC 9110 §5.6.7), the only form that may be sent today.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto number = [&](std::size_t at, std::size_t length) -> int {
        int value = -1;
        const auto* first = text.data() + at;
        const auto [end, failed] = std::from_chars(first, first + length, value);
        return failed == std::errc() && end == first + length ? value : -1;
    };
    // "Mon, 23 Nov 2026 06:46:44 GMT"
    if (text.size() != 29 || !text.ends_with(" GMT") || text[19] != ':' || text[22] != ':') {
        return std::nullopt;
    }
    const auto* const month = std::ranges::find(months, text.substr(8, 3));
    const int day = number(5, 2);
    const int year = number(12, 4);
    const int hour = number(17, 2);
    const int minute = number(20, 2);
    const int second = number(23, 2);
    if (month == months.end() || day < 1 || year < 1970 || hour < 0 || minute < 0 || second < 0) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year(year),
        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc::result_out_of_range) {
        return a_day;
    }
    // Some providers send "12.5": the part before the point, rounded up.
    const bool whole = end == text.data() + text.size();
    if (failed != std::errc() || value < 0 || (!whole && *end != '.')) {
        return std::nullopt;
    }
    return std::chrono::seconds(whole ? value : value + 1);
}

} // namespace

std::string_view answer::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (same_name(key, name)) {
            return value;
        }
    }
    return {};
}

std::optional<std::chrono::milliseconds> answer::retry_after(std::string_view name) const {
    const auto text = header(name);
    if (text.empty()) {
        return std::nullopt;
    }
    auto wait = parse_seconds(text);
    if (!wait) {
        const auto until = parse_http_date(text);
        const auto sent = parse_http_date(header("date"));
        if (!until || !sent) {
            return std::nullopt;
        }
        wait = std::max(std::chrono::seconds(0), *until - *sent);
    }
    return std::chrono::milliseconds(std::min(*wait, a_day));
}

} // namespace relais::rest
