#include "gateway/files/file_conditions.hpp"

#include "http/tokens.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace relais::gateway {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::string_view without_weakness(std::string_view etag) {
    return etag.starts_with("W/") ? etag.substr(2) : etag;
}

/// Whether the client's copy may be completed by a part (RFC 9110 §13.1.5).
bool range_applies(std::string_view if_range, const file_state& there) {
    if (if_range.empty()) {
        return true;
    }
    if (if_range.starts_with('"') || if_range.starts_with("W/")) {
        return if_range == there.etag; // strongly: ours never begins with W/
    }
    return parse_http_date(if_range) == there.modified;
}

} // namespace

file_conditions file_conditions::of(const http::request_head& head) {
    file_conditions out;
    for (const auto& [name, value] : head.fields) {
        const bool interesting = (name[0] | 0x20) == 'i' || (name[0] | 0x20) == 'r';
        if (!interesting) {
            continue;
        }
        if (http::equal_names(name, "if-none-match")) {
            out.if_none_match = value;
        } else if (http::equal_names(name, "if-modified-since")) {
            out.if_modified_since = value;
        } else if (http::equal_names(name, "range")) {
            out.range = value;
        } else if (http::equal_names(name, "if-range")) {
            out.if_range = value;
        } else if (http::equal_names(name, "if-match")) {
            out.if_match = value;
        } else if (http::equal_names(name, "if-unmodified-since")) {
            out.if_unmodified_since = value;
        }
    }
    return out;
}

bool matches_etag(std::string_view list, std::string_view etag, bool weakly) {
    if (http::trim_blanks(list) == "*") {
        return true;
    }
    const auto wanted = weakly ? without_weakness(etag) : etag;
    while (!list.empty()) { // a tag may hold commas
        const auto open = list.find('"');
        const auto close = open == std::string_view::npos ? open : list.find('"', open + 1);
        if (close == std::string_view::npos) {
            return false;
        }
        const bool weak = open >= 2 && list.substr(open - 2, 2) == "W/";
        if (list.substr(open, close + 1 - open) == wanted && (weakly || !weak)) {
            return true;
        }
        list.remove_prefix(close + 1);
    }
    return false;
}

std::optional<byte_range> parse_range(std::string_view value, std::uint64_t bytes) {
    constexpr std::string_view unit = "bytes=";
    if (value.size() < unit.size() || !http::equal_names(value.substr(0, unit.size()), unit)) {
        return std::nullopt;
    }
    value = http::trim_blanks(value.substr(unit.size()));
    const auto dash = value.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto from = value.substr(0, dash);
    const auto to = value.substr(dash + 1);
    if (from.empty()) { // so many at the end
        const auto count = number_of(to);
        if (!count) {
            return std::nullopt;
        }
        const auto taken = std::min(*count, bytes);
        return byte_range{bytes - taken, taken};
    }
    const auto first = number_of(from);
    const auto last = to.empty() ? std::optional(UINT64_MAX) : number_of(to);
    if (!first || !last || *last < *first) {
        return std::nullopt;
    }
    if (*first >= bytes) {
        return byte_range{0, 0};
    }
    return byte_range{*first, std::min(*last, bytes - 1) - *first + 1};
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
    if (text.size() != form.size() || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
        text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' ||
        text[22] != ':') {
        return std::nullopt;
    }
    const auto month = std::ranges::find(months, text.substr(8, 3));
    const auto day = number_of(text.substr(5, 2));
    const auto year = number_of(text.substr(12, 4));
    const auto hour = number_of(text.substr(17, 2));
    const auto minute = number_of(text.substr(20, 2));
    const auto second = number_of(text.substr(23, 2));
    if (month == months.end() || !day || !year || !hour || !minute || !second || *hour > 23 ||
        *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

file_judgement judge(const file_conditions& asked, const file_state& there, bool is_get) {
    if (!asked.if_match.empty()) {
        if (!matches_etag(asked.if_match, there.etag, false)) {
            return {file_outcome::precondition_failed, {}};
        }
    } else if (const auto since = parse_http_date(asked.if_unmodified_since);
               since && there.modified > *since) {
        return {file_outcome::precondition_failed, {}};
    }
    if (!asked.if_none_match.empty()) {
        if (matches_etag(asked.if_none_match, there.etag, true)) {
            return {file_outcome::not_modified, {}};
        }
    } else if (const auto since = parse_http_date(asked.if_modified_since);
               since && there.modified <= *since) {
        return {file_outcome::not_modified, {}};
    }
    if (!is_get || asked.range.empty() || !range_applies(asked.if_range, there)) {
        return {};
    }
    const auto part = parse_range(asked.range, there.bytes);
    if (!part) {
        return {};
    }
    return part->count == 0 ? file_judgement{file_outcome::unsatisfiable, {}}
                            : file_judgement{file_outcome::part, *part};
}

} // namespace relais::gateway
