#include "gateway/limits/ratelimit_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace relais::gateway {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t day_s = 86'400;
// RFC 9651 §3.3.1: an Integer has at most 15 digits.
constexpr std::uint64_t integer_max = 999'999'999'999'999;

void append_integer(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), std::min(value, integer_max));
    out.append(digits.data(), end.ptr);
}

void append_name(std::string& out, std::string_view name) {
    out += '"';
    out += name;
    out += '"';
}

void append_parameter(std::string& out, std::string_view name, std::uint64_t value) {
    out += ';';
    out += name;
    out += '=';
    append_integer(out, value);
}

/// For a time of at least 0.
std::uint64_t seconds_up(nanoseconds time) {
    constexpr std::uint64_t second = 1'000'000'000;
    const auto count = static_cast<std::uint64_t>(time.count());
    return count / second + (count % second == 0 ? 0 : 1);
}

std::uint64_t retry_after_s(nanoseconds retry_after) {
    return std::clamp<std::uint64_t>(seconds_up(retry_after), 1, day_s);
}

/// Less is tighter.
auto tightness(const limit_report& report) {
    const auto& said = report.decision;
    return std::tuple(said.allowed, -said.retry_after, said.remaining, -said.next_after);
}

} // namespace

bool is_limit_name(std::string_view name) {
    constexpr std::size_t bytes_max = 64;
    return !name.empty() && name.size() <= bytes_max && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

const limit_report* tightest(std::span<const limit_report> reports) {
    const auto found = std::ranges::min_element(reports, {}, tightness);
    return found == reports.end() ? nullptr : &*found;
}

void append_ratelimit_policy(std::string& out, std::span<const limit_report> reports) {
    std::string_view separator;
    for (const auto& each : reports) {
        out += separator;
        separator = ", ";
        append_name(out, each.name);
        append_parameter(out, "q", each.allowed->count());
        append_parameter(out, "w", static_cast<std::uint64_t>(each.allowed->window().count()));
        if (each.allowed->burst() != each.allowed->count()) {
            append_parameter(out, "relais-burst", each.allowed->burst());
        }
    }
}

void append_ratelimit(std::string& out, std::span<const limit_report> reports) {
    const auto* told = tightest(reports);
    if (told == nullptr) {
        return;
    }
    const auto& said = told->decision;
    append_name(out, told->name);
    append_parameter(out, "r", said.remaining);
    append_parameter(out, "t",
                     said.allowed ? seconds_up(said.next_after) : retry_after_s(said.retry_after));
}

void append_retry_after(std::string& out, nanoseconds retry_after) {
    append_integer(out, retry_after_s(retry_after));
}

} // namespace relais::gateway
