#include "outbox/refusal_store.hpp"

#include <charconv>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds usual{5};

std::uint64_t number_of(const std::optional<std::string>& text) {
    std::uint64_t value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return value;
}

std::optional<std::string> number_or_null(std::uint64_t seq) {
    return seq == 0 ? std::nullopt : std::optional(std::to_string(seq));
}

} // namespace

asio::awaitable<link_result<known_refusals>> read_refusals(server_link& sql) {
    const auto blocked =
        co_await sql.query("select seq, topic, reason, detail from outbox_blocked", {}, usual);
    if (!blocked) {
        co_return std::unexpected(blocked.error());
    }
    const auto diverted = co_await sql.query(
        "select seq from outbox_refused order by seq desc limit 100000", {}, usual);
    if (!diverted) {
        co_return std::unexpected(diverted.error());
    }
    known_refusals known;
    for (const auto& row : *blocked) {
        known.blocked = refusal_of_event{.seq = number_of(row[0]),
                                         .topic = row[1].value_or(""),
                                         .reason = {error_kind::conflict, row[2].value_or(""),
                                                    row[3].value_or(""), "", std::nullopt}};
    }
    for (const auto& row : *diverted) {
        known.diverted.insert(number_of(row[0]));
    }
    co_return known;
}

asio::awaitable<link_result<void>> save_blocked(server_link& sql, refusal_of_event what) {
    const auto saved = co_await sql.query(
        "insert into outbox_blocked as b (seq, id, topic, key, type, reason, detail)"
        " select $1::bigint, e.id, e.topic, e.key, e.headers->>'ce_type', $2, $3"
        " from (select) one left join outbox_event e on e.seq = $1::bigint"
        " on conflict (only_one) do update set seq = excluded.seq, id = excluded.id,"
        " topic = excluded.topic, key = excluded.key, type = excluded.type,"
        " reason = excluded.reason, detail = excluded.detail, tried_at = now(),"
        " tries = case when b.seq is not distinct from excluded.seq then b.tries else 0 end + 1,"
        " since = case when b.seq is not distinct from excluded.seq then b.since else now() end",
        {number_or_null(what.seq), what.reason.slug, what.reason.detail}, usual);
    if (!saved) {
        co_return std::unexpected(saved.error());
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<bool>> clear_passed(server_link& sql) {
    const auto cleared = co_await sql.query(
        "with passed as (delete from outbox_blocked b using outbox_event e, outbox_progress p"
        " where e.seq = b.seq and pg_visible_in_snapshot(e.xid, p.published) returning 1)"
        " select exists (select from outbox_blocked) and not exists (select from passed)",
        {}, usual);
    if (!cleared) {
        co_return std::unexpected(cleared.error());
    }
    co_return cleared->at(0)[0] == "f";
}

asio::awaitable<link_result<void>> clear_blocked(server_link& sql) {
    const auto cleared = co_await sql.query("delete from outbox_blocked", {}, usual);
    if (!cleared) {
        co_return std::unexpected(cleared.error());
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<void>> divert(server_link& sql, refusal_of_event what) {
    const auto saved = co_await sql.query(
        "with diverted as (insert into outbox_refused (seq, at, id, topic, key, type, reason, "
        "detail)"
        " select e.seq, e.at, e.id, e.topic, e.key, e.headers->>'ce_type', $2, $3"
        " from outbox_event e where e.seq = $1::bigint on conflict (seq) do nothing)"
        " delete from outbox_blocked where seq = $1::bigint",
        {std::to_string(what.seq), what.reason.slug, what.reason.detail}, usual);
    if (!saved) {
        co_return std::unexpected(saved.error());
    }
    co_return link_result<void>();
}

} // namespace relais::outbox
