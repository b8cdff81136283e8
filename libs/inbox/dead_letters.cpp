#include "inbox/dead_letters.hpp"

#include "inbox/parking.hpp"
#include "inbox/stored_json.hpp"

#include <stdexcept>

namespace relais::inbox {
namespace {

#define RELAIS_DEAD_LETTER_COLUMNS                                                                 \
    "select id, consumer_group, topic, partition, record_offset, key, value, headers, "            \
    "record_time,"                                                                                 \
    " event_id, type, reason, attempts, errors, redrives, dead_at, redriven_at"                    \
    " from inbox_dead_letter "

dead_letter read_row(const pg::row& row) {
    dead_letter read;
    read.id = row.integer(0);
    read.group = row.text(1);
    read.topic = row.text(2);
    read.partition = static_cast<std::int32_t>(row.integer(3));
    read.offset = row.integer(4);
    read.key = row.bytes(5);
    if (!row.is_null(6)) {
        read.value = row.bytes(6);
    }
    auto headers = headers_from_json(row.view(7));
    if (!headers) {
        throw std::logic_error("inbox_dead_letter: " + headers.error().detail);
    }
    read.headers = *std::move(headers);
    read.record_time = row.time(8);
    if (!row.is_null(9)) {
        read.event = row.id_at<event_id>(9);
    }
    read.type = row.text(10);
    read.reason = row.text(11);
    read.attempts = static_cast<std::uint32_t>(row.integer(12));
    read.errors = row.text(13);
    read.redrives = static_cast<std::uint32_t>(row.integer(14));
    read.dead_at = row.time(15);
    read.redriven_at = row.optional_time(16);
    return read;
}

kafka::record to_record(const dead_letter& letter) {
    return {.topic = letter.topic,
            .key = letter.key,
            .value = letter.value,
            .headers = letter.headers,
            .partition = letter.partition,
            .offset = letter.offset,
            .time = letter.record_time};
}

} // namespace

std::vector<dead_letter> list_dead_letters(pg::transaction& tx, const dead_letter_filter& filter) {
    const auto found = tx.exec(RELAIS_DEAD_LETTER_COLUMNS
                               "where ($1 = '' or topic = $1) and ($2 = '' or reason = $2)"
                               " and ($3 or redriven_at is null) order by id limit $4",
                               {filter.topic, filter.reason, filter.redriven, filter.limit});
    std::vector<dead_letter> letters;
    for (const auto& row : found) {
        letters.push_back(read_row(row));
    }
    return letters;
}

std::optional<dead_letter> find_dead_letter(pg::transaction& tx, std::int64_t id) {
    const auto found = tx.exec(RELAIS_DEAD_LETTER_COLUMNS "where id = $1", {id});
    return found.empty() ? std::nullopt : std::optional(read_row(found.front()));
}

result<void> redrive(pg::transaction& tx, std::int64_t id, timestamp now) {
    const auto letter = find_dead_letter(tx, id);
    if (!letter) {
        return fail(error_kind::not_found, "no-such-dead-letter", std::to_string(id));
    }
    auto event = kafka::to_event(to_record(*letter));
    if (!event) {
        return fail(error_kind::invalid, "not-redrivable",
                    "its envelope cannot be read: " + event.error().detail);
    }
    // The partition's row first, like everybody else.
    const place at{letter->group, {letter->topic, letter->partition}};
    auto partition = lock_partition(tx, at);
    const auto marked = tx.exec("update inbox_dead_letter set redriven_at = $2"
                                " where id = $1 and redriven_at is null",
                                {id, now});
    if (marked.affected() == 0) {
        return fail(error_kind::conflict, "already-redriven", std::to_string(id));
    }
    park(tx, at,
         {.record = to_record(*letter),
          .event = *std::move(event),
          .redrives = letter->redrives + 1,
          .errors = letter->errors});
    if (hold(tx, at, letter->key, now, {})) {
        ++partition.held_keys;
        save_partition(tx, at, partition);
    }
    return {};
}

std::vector<dead_letter_count> count_dead_letters(pg::transaction& tx, const std::string& group) {
    std::vector<dead_letter_count> counts;
    const auto found = tx.exec("select topic, count(*), min(dead_at) from inbox_dead_letter"
                               " where consumer_group = $1 and redriven_at is null group by topic",
                               {group});
    for (const auto& row : found) {
        counts.push_back({row.text(0), row.integer(1), row.time(2)});
    }
    return counts;
}

} // namespace relais::inbox
