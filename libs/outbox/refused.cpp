#include "outbox/refused.hpp"

#include <fmt/format.h>

#include <string_view>

namespace relais::outbox {
namespace {

constexpr std::string_view go_on_without =
    "go on without it: RELAIS_OUTBOX_REFUSED=divert, or relaisctl outbox discard ID --why REASON";

} // namespace

std::string blocked_position::next_step() const {
    if (reason == "record-too-large") {
        return fmt::format("raise max.message.bytes of {} above the event's size, or {}", topic,
                           go_on_without);
    }
    if (reason == "kafka-unknown-topic") {
        return fmt::format("make the topic {}: relaisctl topics apply", topic);
    }
    if (reason == "kafka-denied") {
        return fmt::format("allow the service's Kafka user to write to {}", topic);
    }
    if (reason == "partition-count") {
        return "put the topics file back, or add a v2 topic with the new count beside it";
    }
    return fmt::format("mend what the detail names, or {}", go_on_without);
}

std::optional<blocked_position> find_blocked(pg::transaction& tx) {
    const auto found = tx.exec("select id, coalesce(topic, ''), coalesce(key, ''),"
                               " coalesce(type, ''), reason, detail, since, tried_at, tries"
                               " from outbox_blocked");
    if (found.empty()) {
        return std::nullopt;
    }
    const auto row = found.front();
    return blocked_position{.id = row.is_null(0) ? std::nullopt : std::optional(row.uuid_at(0)),
                            .topic = row.text(1),
                            .key = row.text(2),
                            .type = row.text(3),
                            .reason = row.text(4),
                            .detail = row.text(5),
                            .since = row.time(6),
                            .tried_at = row.time(7),
                            .tries = row.integer(8)};
}

std::vector<refused_event> list_refused(pg::transaction& tx, bool also_settled,
                                        std::size_t at_most) {
    const auto found = tx.exec("select id, seq, topic, key, coalesce(type, ''), reason, detail, at,"
                               " refused_at, republished_at, discarded_at,"
                               " coalesce(discarded_by, ''), coalesce(discarded_why, '')"
                               " from outbox_refused"
                               " where $1 or settled_at is null order by seq limit $2",
                               {also_settled, at_most});
    std::vector<refused_event> all;
    for (const auto& row : found) {
        all.push_back({.id = row.uuid_at(0),
                       .seq = row.integer(1),
                       .topic = row.text(2),
                       .key = row.text(3),
                       .type = row.text(4),
                       .reason = row.text(5),
                       .detail = row.text(6),
                       .written_at = row.time(7),
                       .refused_at = row.time(8),
                       .republished_at = row.optional_time(9),
                       .discarded_at = row.optional_time(10),
                       .discarded_by = row.text(11),
                       .discarded_why = row.text(12)});
    }
    return all;
}

std::int64_t count_refused(pg::transaction& tx) {
    return tx.exec("select count(*) from outbox_refused where settled_at is null")
        .front()
        .integer(0);
}

result<void> republish(pg::transaction& tx, const uuid& id) {
    const auto waiting = tx.exec("select seq, at from outbox_refused"
                                 " where id = $1 and settled_at is null for update",
                                 {id});
    if (waiting.empty()) {
        return fail(error_kind::not_found, "no-such-refused-event", id.text());
    }
    const auto seq = waiting.front().integer(0);
    const auto appended = tx.exec("insert into outbox_event (id, topic, key, headers, value)"
                                  " select id, topic, key, headers, value from outbox_event"
                                  " where seq = $1 and at = $2 returning seq",
                                  {seq, waiting.front().time(1)});
    tx.exec("update outbox_refused set republished_at = now(), republished_seq = $2 where seq = $1",
            {seq, appended.front().integer(0)});
    return {};
}

result<void> discard(pg::transaction& tx, const uuid& id, const std::string& by,
                     const std::string& why) {
    if (why.empty()) {
        return fail(error_kind::invalid, "no-reason", id.text());
    }
    // The row of the event that holds up the rest is taken, so that of two only one discards it.
    tx.exec(
        "with blocked as (delete from outbox_blocked where id = $1 returning seq, reason, detail)"
        " insert into outbox_refused (seq, at, id, topic, key, type, reason, detail)"
        " select e.seq, e.at, e.id, e.topic, e.key, e.headers->>'ce_type', b.reason, b.detail"
        " from blocked b join outbox_event e on e.seq = b.seq on conflict (seq) do nothing",
        {id});
    const auto given_up = tx.exec("update outbox_refused set discarded_at = now(),"
                                  " discarded_by = $2, discarded_why = $3"
                                  " where id = $1 and settled_at is null returning seq",
                                  {id, by, why});
    if (given_up.empty()) {
        return fail(error_kind::not_found, "no-such-refused-event", id.text());
    }
    return {};
}

} // namespace relais::outbox
