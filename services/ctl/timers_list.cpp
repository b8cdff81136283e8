#include "ctl/timers_list.hpp"

#include "clock/rfc3339.hpp"
#include "ctl/databases.hpp"
#include "ctl/listing.hpp"

#include <fmt/format.h>

#include <charconv>

namespace relais::ctl {
namespace {

constexpr std::size_t listed_usually = 100;
constexpr std::size_t listed_max = 10'000;
/// Counting millions of rows takes longer than what a service may ask.
constexpr std::chrono::seconds count_limit{120};

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
}

void add_time(http::json_writer& json, std::string_view name, std::optional<timestamp> time) {
    if (time) {
        json.member(name, *time);
    } else {
        json.null_member(name);
    }
}

result<std::size_t> limit_of(const arguments& given) {
    const auto text = given.value("--limit");
    std::size_t limit = listed_usually;
    if (text) {
        const auto [end, failed] =
            std::from_chars(text->data(), text->data() + text->size(), limit);
        if (failed != std::errc() || end != text->data() + text->size() || limit < 1 ||
            limit > listed_max) {
            return misuse(fmt::format("--limit wants 1 to {}", listed_max));
        }
    }
    return limit;
}

void write_count(http::json_writer& json, const std::string& service,
                 const timers::kind_count& count) {
    json.begin_object()
        .member("service", service)
        .member("kind", count.kind)
        .member("pending", count.pending)
        .member("due", count.due)
        .member("failed", count.failed);
    add_time(json, "oldest_due", count.oldest_due);
    add_time(json, "next", count.next);
    json.end_object();
}

void print_count(const std::string& service, const timers::kind_count& count, timestamp now) {
    fmt::print("{}  {}  {} pending, {} due, {} given up", service, count.kind, count.pending,
               count.due, count.failed);
    if (count.oldest_due) {
        const std::chrono::duration<double> late = now - *count.oldest_due;
        fmt::print("; the oldest is due for {:.1f} s", late.count());
    }
    fmt::print("\n");
}

} // namespace

void write_timer(http::json_writer& json, const std::string& service,
                 const timers::timer_row& row) {
    json.begin_object()
        .member("service", service)
        .member("id", row.what.id)
        .member("kind", row.what.kind)
        .member("due_at", row.what.due_at)
        .member("priority", row.what.priority)
        .member("attempts", row.attempts)
        .member("payload", row.what.payload)
        .member("created_at", row.created_at);
    add_time(json, "expires_at", row.what.expires_at);
    add_time(json, "not_before", row.not_before);
    add_time(json, "failed_at", row.failed_at);
    if (!row.last_error.empty()) {
        json.member("last_error", row.last_error);
    }
    if (!row.cron.empty()) {
        json.begin_object("cron")
            .member("expression", row.cron)
            .member("time_zone", row.time_zone)
            .member("catch_up", row.catch_up)
            .end_object();
    }
    json.end_object();
}

void print_timer(const std::string& service, const timers::timer_row& row) {
    fmt::print("{}  {}  {}  due {}", service, row.what.kind, row.what.id,
               to_rfc3339(row.what.due_at));
    if (!row.cron.empty()) {
        fmt::print("  \"{}\" {} {}", row.cron, row.time_zone, row.catch_up);
    }
    if (row.attempts > 0) {
        fmt::print("  {} attempts", row.attempts);
    }
    if (row.failed_at) {
        fmt::print("  given up {}", to_rfc3339(*row.failed_at));
    }
    fmt::print("{}{}\n", row.last_error.empty() ? "" : "  ", row.last_error);
}

result<void> list_timers(const context& where, const arguments& given) {
    const auto limit = limit_of(given);
    if (!limit) {
        return fail(limit);
    }
    const timers::timer_filter filter{given.value("--kind").value_or(""), given.has("--failed"),
                                      *limit};
    const auto add = [&](pg::transaction& tx, const std::string& service, http::json_writer& json) {
        const auto rows = timers::list_timers(tx, filter);
        for (const auto& row : rows) {
            write_timer(json, service, row);
            if (!given.has("--json")) {
                print_timer(service, row);
            }
        }
        return rows.size();
    };
    return print_listing(where, given, {.name = "timers"}, add);
}

result<void> count_timers(const context& where, const arguments& given) {
    const auto now = system_clock().now();
    const auto add = [&](pg::transaction& tx, const std::string& service, http::json_writer& json) {
        const auto counts = timers::count_timers(tx, now);
        for (const auto& count : counts) {
            write_count(json, service, count);
            if (!given.has("--json")) {
                print_count(service, count, now);
            }
        }
        return counts.size();
    };
    return print_listing(where, given, {.name = "kinds", .at_most = count_limit}, add);
}

} // namespace relais::ctl
