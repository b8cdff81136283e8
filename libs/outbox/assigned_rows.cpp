#include "outbox/assigned_rows.hpp"

#include "outbox/envelope_json.hpp"
#include "postgres/text_format.hpp"

#include <charconv>
#include <span>

namespace relais::outbox {
namespace {

using text_row = std::span<const std::optional<std::string>>;

/// From the column `idx` on.
link_result<assigned_event> to_event(lsn position, text_row row) {
    assigned_event read;
    read.position = position;
    read.index = static_cast<std::uint32_t>(to_number(row[0]));
    const auto written = pg::parse_timestamptz(row[1].value_or(""));
    auto headers = headers_from_json(row[5].value_or(""));
    auto value = row[6] ? pg::parse_bytea(*row[6]) : result<std::string>("");
    if (!written || !headers || !value) {
        return std::unexpected(refusal{"XX001", "an unreadable row in outbox_event"});
    }
    read.written_at = *written;
    read.event.seq = to_number(row[2]);
    read.event.record.topic = row[3].value_or("");
    read.event.record.key = row[4].value_or("");
    read.event.record.headers = std::move(*headers);
    if (row[6]) {
        read.event.record.value = std::move(*value);
    }
    return read;
}

} // namespace

std::uint64_t to_number(const std::optional<std::string>& text) {
    std::uint64_t value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return value;
}

link_result<round> to_round(const text_rows& rows) {
    const text_row first(rows.at(0));
    round read{.seen = first[0].value_or(""),
               .epoch = to_number(first[1]),
               .count = to_number(first[2]),
               .position = to_number(first[3])};
    for (const auto& row : rows) {
        if (!row[4]) {
            break; // more than was asked for, or none
        }
        auto event = to_event(read.position, text_row(row).subspan(4));
        if (!event) {
            return std::unexpected(event.error());
        }
        read.events.push_back(std::move(*event));
    }
    return read;
}

link_result<std::vector<assigned_event>> to_assigned(const text_rows& rows) {
    std::vector<assigned_event> read;
    for (const auto& row : rows) {
        auto event = to_event(to_number(row[0]), text_row(row).subspan(1));
        if (!event) {
            return std::unexpected(event.error());
        }
        read.push_back(std::move(*event));
    }
    return read;
}

} // namespace relais::outbox
