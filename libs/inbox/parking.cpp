#include "inbox/parking.hpp"

#include "inbox/dead_letter_fingerprint.hpp"
#include "inbox/stored_json.hpp"

namespace relais::inbox {
namespace {

std::vector<std::string> to_texts(const std::vector<events::snapshot_need>& needs) {
    std::vector<std::string> texts;
    texts.reserve(needs.size());
    for (const auto& need : needs) {
        texts.push_back(to_text(need));
    }
    return texts;
}

pg::parameter value_of(const kafka::record& record) {
    return record.value ? pg::parameter::bytes(std::string_view(*record.value))
                        : pg::parameter(std::nullopt);
}

/// Our own rows always read back; anything else is a bug.
template <class T>
T must(result<T> read) {
    if (!read) {
        throw std::logic_error("inbox_parked: " + read.error().slug + " " + read.error().detail);
    }
    return *std::move(read);
}

parked_event read_parked(const pg::row& row, const place& at) {
    parked_event value;
    value.record.topic = at.where.topic;
    value.record.partition = at.where.partition;
    value.record.offset = row.integer(0);
    value.record.key = row.text(1);
    if (!row.is_null(2)) {
        value.record.value = row.bytes(2);
    }
    value.record.headers = must(headers_from_json(row.view(3)));
    value.record.time = row.time(4);
    value.attempts = static_cast<std::uint32_t>(row.integer(5));
    value.failures = static_cast<std::uint32_t>(row.integer(6));
    value.redrives = static_cast<std::uint32_t>(row.integer(7));
    value.errors = row.text(8);
    value.parked_at = row.time(9);
    value.event = must(kafka::to_event(value.record));
    return value;
}

} // namespace

void park(pg::transaction& tx, const place& at, const parked_event& value) {
    tx.exec("insert into inbox_parked (consumer_group, topic, partition, record_offset, key, value,"
            " headers, record_time, event_id, type, attempts, failures, errors, redrives)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            {at.group, at.where.topic, at.where.partition, value.record.offset, value.record.key,
             value_of(value.record), headers_to_json(value.record.headers), value.record.time,
             value.event.id, value.event.type, value.attempts, value.failures, value.errors,
             value.redrives});
}

bool hold(pg::transaction& tx, const place& at, const std::string& key, timestamp next_at,
          const std::vector<events::snapshot_need>& waiting_for) {
    const auto texts = to_texts(waiting_for);
    const auto needs = texts.empty() ? pg::parameter(std::nullopt) : pg::parameter::array(texts);
    // xmax is 0 for a row that this statement inserted.
    const auto held = tx.exec(
        "insert into inbox_held_key (consumer_group, topic, partition, key, next_at, waiting_for)"
        " values ($1, $2, $3, $4, $5, $6) on conflict (consumer_group, topic, key)"
        " do update set next_at = excluded.next_at, waiting_for = excluded.waiting_for"
        " returning xmax = 0",
        {at.group, at.where.topic, at.where.partition, key, next_at, needs});
    return held.front().boolean(0);
}

std::optional<parked_event> lock_first(pg::transaction& tx, const place& at,
                                       const std::string& key) {
    const auto found =
        tx.exec("select p.record_offset, p.key, p.value, p.headers, p.record_time, p.attempts,"
                " p.failures, p.redrives, p.errors, p.parked_at from inbox_parked p"
                " where p.consumer_group = $1 and p.topic = $2 and p.key = $3"
                " order by p.record_offset limit 1 for update",
                {at.group, at.where.topic, key});
    if (found.empty()) {
        return std::nullopt;
    }
    return read_parked(found.front(), at);
}

void count_attempt(pg::transaction& tx, const place& at, const parked_event& value) {
    tx.exec("update inbox_parked set attempts = $6, failures = $7 where consumer_group = $1"
            " and topic = $2 and partition = $3 and record_offset = $4 and event_id = $5",
            {at.group, at.where.topic, at.where.partition, value.record.offset, value.event.id,
             value.attempts, value.failures});
}

void note_failure(pg::transaction& tx, const place& at, const parked_event& value,
                  const std::string& failure) {
    tx.exec("update inbox_parked set attempts = $6, failures = $7, errors = errors || $8::jsonb"
            " where consumer_group = $1 and topic = $2 and partition = $3 and record_offset = $4"
            " and event_id = $5",
            {at.group, at.where.topic, at.where.partition, value.record.offset, value.event.id,
             value.attempts, value.failures, failure});
}

bool release_first(pg::transaction& tx, const place& at, const parked_event& value, timestamp now) {
    tx.exec("delete from inbox_parked where consumer_group = $1 and topic = $2 and partition = $3"
            " and record_offset = $4 and event_id = $5",
            {at.group, at.where.topic, at.where.partition, value.record.offset, value.event.id});
    const auto freed =
        tx.exec("delete from inbox_held_key h where h.consumer_group = $1 and h.topic = $2"
                " and h.key = $3 and not exists (select from inbox_parked p where"
                " p.consumer_group = $1 and p.topic = $2 and p.key = $3)",
                {at.group, at.where.topic, value.record.key});
    if (freed.affected() > 0) {
        return true;
    }
    tx.exec("update inbox_held_key set next_at = $4, waiting_for = null"
            " where consumer_group = $1 and topic = $2 and key = $3",
            {at.group, at.where.topic, value.record.key, now});
    return false;
}

void bury(pg::transaction& tx, const place& at, const dead_event& value) {
    const auto& record = *value.record;
    const bool readable = value.event != nullptr;
    const auto id = readable ? pg::parameter(value.event->id) : pg::parameter(std::nullopt);
    const auto type = readable ? value.event->type : std::string();
    const auto pattern = detail_pattern(last_detail(value.errors));
    tx.exec("insert into inbox_dead_letter (consumer_group, topic, partition, record_offset, key,"
            " value, headers, record_time, event_id, type, reason, attempts, errors, redrives,"
            " fingerprint, detail_pattern)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            {at.group, at.where.topic, at.where.partition, record.offset,
             pg::parameter::bytes(std::string_view(record.key)), value_of(record),
             headers_to_json(record.headers), record.time, id, type, value.reason, value.attempts,
             value.errors, value.redrives, fingerprint(type, value.reason, pattern), pattern});
}

std::vector<std::string> find_due(pg::transaction& tx, const place& at, timestamp now,
                                  std::size_t max) {
    std::vector<std::string> keys;
    const auto found =
        tx.exec("select key from inbox_held_key where consumer_group = $1"
                " and topic = $2 and partition = $3"
                " and (next_at <= $4 or (next_at > $6 and waiting_for is null))"
                " order by next_at limit $5",
                {at.group, at.where.topic, at.where.partition, now, max, now + believed_wait});
    for (const auto& row : found) {
        keys.push_back(row.text(0));
    }
    return keys;
}

std::optional<timestamp> find_next_due(pg::transaction& tx, const place& at, timestamp now) {
    return tx
        .exec("select min(case when next_at > $5 and waiting_for is null then $4 else next_at end)"
              " from inbox_held_key where consumer_group = $1 and topic = $2 and partition = $3",
              {at.group, at.where.topic, at.where.partition, now, now + believed_wait})
        .front()
        .optional_time(0);
}

std::vector<held_key> find_waiting(pg::transaction& tx, const place& at) {
    std::vector<held_key> waiting;
    const auto found =
        tx.exec("select h.key, h.next_at, n from inbox_held_key h, unnest(h.waiting_for) n"
                " where h.consumer_group = $1 and h.topic = $2 and h.partition = $3"
                " order by h.key",
                {at.group, at.where.topic, at.where.partition});
    for (const auto& row : found) {
        if (waiting.empty() || waiting.back().key != row.view(0)) {
            waiting.push_back({row.text(0), row.time(1), {}});
        }
        waiting.back().waiting_for.push_back(need_from_text(row.view(2)));
    }
    return waiting;
}

} // namespace relais::inbox
