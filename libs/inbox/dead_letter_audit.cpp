#include "inbox/dead_letter_audit.hpp"

#include "ids/encoding.hpp"

#include <fmt/format.h>

namespace relais::inbox {

void note_deed(pg::transaction& tx, const dead_letter_deed& value) {
    tx.exec("insert into inbox_dead_letter_audit (letter_id, at, who, what, why, before, after)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            {value.letter, value.at, value.who, value.what, value.why, value.before, value.after});
}

std::string state_json(const dead_letter& letter) {
    // Not the message itself: the audit is kept for longer than messages are.
    const auto& value = letter.edited_value ? letter.edited_value : letter.value;
    const auto digest = value ? fmt::format("\"{}\"", to_hex(sha256(as_bytes(*value)))) : "null";
    return fmt::format(R"({{"state":"{}","value_sha256":{},"redrives":{}}})", letter.state(),
                       digest, letter.redrives);
}

std::vector<dead_letter_deed> list_deeds(pg::transaction& tx, std::optional<std::int64_t> letter,
                                         std::size_t limit) {
    const auto found = tx.exec("select letter_id, at, who, what, why, before, after"
                               " from inbox_dead_letter_audit"
                               " where $1::bigint is null or letter_id = $1"
                               " order by id desc limit $2",
                               {letter, limit});
    std::vector<dead_letter_deed> deeds;
    for (const auto& row : found) {
        deeds.push_back({row.integer(0), row.time(1), row.text(2), row.text(3), row.text(4),
                         row.text(5), row.text(6)});
    }
    return deeds;
}

std::size_t forget_settled(pg::transaction& tx, const std::string& group, timestamp now) {
    const auto letters = tx.exec(
        "delete from inbox_dead_letter where id = any(array(select id from inbox_dead_letter"
        " where (redriven_at is not null or discarded_at is not null)"
        " and coalesce(redriven_at, discarded_at) < $2 and consumer_group = $1 limit 5000))",
        {group, now - settled_kept});
    const auto deeds = tx.exec("delete from inbox_dead_letter_audit where id = any(array("
                               "select id from inbox_dead_letter_audit where at < $1 limit 5000))",
                               {now - deeds_kept});
    return letters.affected() + deeds.affected();
}

} // namespace relais::inbox
