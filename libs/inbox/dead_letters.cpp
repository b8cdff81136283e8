#include "inbox/dead_letters.hpp"

#include "events/payload_json.hpp"
#include "inbox/dead_letter_audit.hpp"
#include "inbox/parking.hpp"
#include "inbox/stored_json.hpp"
#include "outbox/audit.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace relais::inbox {
namespace {

#define RELAIS_DEAD_LETTER_COLUMNS                                                                 \
    "select id, consumer_group, topic, partition, record_offset, key, value, headers,"             \
    " record_time, event_id, type, reason, attempts, errors, redrives, dead_at, redriven_at,"      \
    " fingerprint, edited_value, discarded_at from inbox_dead_letter "

#define RELAIS_DEAD_LETTER_FILTER                                                                  \
    " ($1 = '' or topic = $1) and ($2 = '' or reason = $2) and ($3 = '' or fingerprint = $3) "

#define RELAIS_OPEN " redriven_at is null and discarded_at is null "

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
    read.fingerprint = row.text(17);
    if (!row.is_null(18)) {
        read.edited_value = row.bytes(18);
    }
    read.discarded_at = row.optional_time(19);
    return read;
}

kafka::record to_record(const dead_letter& letter) {
    return {.topic = letter.topic,
            .key = letter.key,
            .value = letter.edited_value ? letter.edited_value : letter.value,
            .headers = letter.headers,
            .partition = letter.partition,
            .offset = letter.offset,
            .time = letter.record_time};
}

error missing(std::int64_t id) {
    return {error_kind::not_found, "no-such-dead-letter", std::to_string(id), "", std::nullopt};
}

/// Locked and open, or why not.
result<dead_letter> lock_open(pg::transaction& tx, std::int64_t id) {
    const auto found = tx.exec(RELAIS_DEAD_LETTER_COLUMNS "where id = $1 for update", {id});
    if (found.empty()) {
        return std::unexpected(missing(id));
    }
    auto letter = read_row(found.front());
    if (letter.state() != "open") {
        return fail(error_kind::conflict, fmt::format("already-{}", letter.state()),
                    std::to_string(id));
    }
    return letter;
}

result<events::event> readable(const dead_letter& letter) {
    auto event = kafka::to_event(to_record(letter));
    if (!event) {
        return fail(error_kind::invalid, "not-redrivable",
                    "its envelope cannot be read: " + event.error().detail);
    }
    return event;
}

void note(pg::transaction& tx, const std::string& what, const dead_letter& before,
          const dead_letter& after, timestamp now, const deed& doing) {
    note_deed(tx, {.letter = before.id,
                   .at = now,
                   .who = doing.by,
                   .what = what,
                   .why = doing.why,
                   .before = state_json(before),
                   .after = state_json(after)});
    outbox::note_act(tx,
                     {.service = before.group,
                      .who = doing.by,
                      .action = "dead-letter." + what,
                      .target = fmt::format("dead-letter/{}", before.id),
                      .why = doing.why,
                      .before = state_json(before),
                      .after = state_json(after)},
                     now);
}

} // namespace

std::string_view dead_letter::state() const {
    return redriven_at ? "redriven" : discarded_at ? "discarded" : "open";
}

std::vector<dead_letter> list_dead_letters(pg::transaction& tx, const dead_letter_filter& filter) {
    const auto found =
        tx.exec(RELAIS_DEAD_LETTER_COLUMNS "where" RELAIS_DEAD_LETTER_FILTER
                                           "and ($4 or (" RELAIS_OPEN ")) order by id limit $5",
                {filter.topic, filter.reason, filter.fingerprint, filter.redriven, filter.limit});
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

std::vector<dead_letter_group> group_dead_letters(pg::transaction& tx,
                                                  const dead_letter_filter& filter) {
    const auto found = tx.exec(
        "select fingerprint, consumer_group, topic, type, reason, max(detail_pattern), count(*),"
        " count(*) filter (where redrives > 0), max(id), min(dead_at), max(dead_at)"
        " from inbox_dead_letter where" RELAIS_DEAD_LETTER_FILTER "and" RELAIS_OPEN
        "group by fingerprint, consumer_group, topic, type, reason"
        " order by count(*) desc, max(id) desc limit $4",
        {filter.topic, filter.reason, filter.fingerprint, filter.limit});
    std::vector<dead_letter_group> groups;
    for (const auto& row : found) {
        groups.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4),
                          row.text(5), row.integer(6), row.integer(7), row.integer(8), row.time(9),
                          row.time(10)});
    }
    return groups;
}

std::vector<std::int64_t> find_redrivable(pg::transaction& tx, const dead_letter_filter& filter,
                                          bool quarantined_too) {
    const auto found =
        tx.exec("select id from inbox_dead_letter where" RELAIS_DEAD_LETTER_FILTER "and" RELAIS_OPEN
                "and event_id is not null and ($4 or redrives = 0)"
                " order by consumer_group, topic, partition, record_offset, id limit $5",
                {filter.topic, filter.reason, filter.fingerprint, quarantined_too, filter.limit});
    std::vector<std::int64_t> ids;
    for (const auto& row : found) {
        ids.push_back(row.integer(0));
    }
    return ids;
}

result<void> redrive(pg::transaction& tx, std::int64_t id, timestamp now, const deed& doing) {
    const auto seen = find_dead_letter(tx, id);
    if (!seen) {
        return std::unexpected(missing(id));
    }
    // The partition's row first, like everybody else.
    const place at{seen->group, {seen->topic, seen->partition}};
    auto partition = lock_partition(tx, at);
    const auto letter = lock_open(tx, id);
    if (!letter) {
        return fail(letter);
    }
    auto event = readable(*letter);
    if (!event) {
        return fail(event);
    }
    tx.exec("update inbox_dead_letter set redriven_at = $2 where id = $1", {id, now});
    park(tx, at,
         {.record = to_record(*letter),
          .event = *std::move(event),
          .redrives = letter->redrives + 1,
          .errors = letter->errors});
    if (hold(tx, at, letter->key, now, {})) {
        ++partition.held_keys;
        save_partition(tx, at, partition);
    }
    auto after = *letter;
    after.redriven_at = now;
    note(tx, "redrive", *letter, after, now, doing);
    return {};
}

result<void> edit(pg::transaction& tx, std::int64_t id, std::string_view json, timestamp now,
                  const deed& doing) {
    const auto letter = lock_open(tx, id);
    if (!letter) {
        return fail(letter);
    }
    const auto event = readable(*letter);
    if (!event) {
        return fail(event);
    }
    auto bytes = events::payload_from_json(event->type, json);
    if (!bytes) {
        return fail(bytes);
    }
    tx.exec("update inbox_dead_letter set edited_value = $2 where id = $1",
            {id, pg::parameter::bytes(std::string_view(*bytes))});
    auto after = *letter;
    after.edited_value = *std::move(bytes);
    note(tx, "edit", *letter, after, now, doing);
    return {};
}

result<void> discard(pg::transaction& tx, std::int64_t id, timestamp now, const deed& doing) {
    if (doing.why.empty()) {
        return fail(error_kind::invalid, "reason-missing", "why is it not to be handled?");
    }
    const auto letter = lock_open(tx, id);
    if (!letter) {
        return fail(letter);
    }
    tx.exec("update inbox_dead_letter set discarded_at = $2 where id = $1", {id, now});
    auto after = *letter;
    after.discarded_at = now;
    note(tx, "discard", *letter, after, now, doing);
    return {};
}

std::vector<dead_letter_count> count_dead_letters(pg::transaction& tx, const std::string& group) {
    std::vector<dead_letter_count> counts;
    const auto found = tx.exec("select topic, count(*), min(dead_at) from inbox_dead_letter"
                               " where consumer_group = $1 and" RELAIS_OPEN "group by topic",
                               {group});
    for (const auto& row : found) {
        counts.push_back({row.text(0), row.integer(1), row.time(2)});
    }
    return counts;
}

} // namespace relais::inbox
