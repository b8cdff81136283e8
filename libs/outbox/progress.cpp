#include "outbox/progress.hpp"

#include "postgres/text_format.hpp"

#include <fmt/format.h>

#include <charconv>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds usual{5};

std::uint64_t number_of(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

link_result<void> without_rows(const link_result<text_rows>& answer) {
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return {};
}

} // namespace

/// What may not have been published: all that the last saved moment does not see. On another
/// cluster (a dump was loaded) transaction numbers say nothing; there the time decides, with a
/// margin.
const std::string_view list_unpublished_sql =
    "insert into outbox_repair (ordinal, seq, at)"
    " select row_number() over (order by e.seq), e.seq, e.at from outbox_event e, outbox_progress p"
    " where case when p.published is null then true"
    "   when p.system_id = $1 then not pg_visible_in_snapshot(e.xid, p.published)"
    "   else e.at >= p.published_at - interval '10 minutes' end";

const std::string_view begin_epoch_sql =
    "update outbox_progress set"
    " repair_since = case when epoch > 0 then (select min(at) from outbox_repair) end,"
    " epoch = $1::bigint, system_id = $2, timeline = $3::int, mode = $4, shards = $5::int,"
    " updated_at = now()"
    " where epoch < $1::bigint";

asio::awaitable<link_result<std::uint64_t>> next_epoch(server_link& sql) {
    const auto answer = co_await sql.query(
        "select greatest(epoch + 1, extract(epoch from now())::bigint) from outbox_progress", {},
        usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto text = answer->at(0)[0].value_or("1");
    std::uint64_t epoch = 1;
    std::from_chars(text.data(), text.data() + text.size(), epoch);
    co_return epoch;
}

asio::awaitable<link_result<progress>> read_progress(server_link& sql) {
    const auto answer = co_await sql.query(
        "select epoch, system_id, timeline, published, published_at, repair_since,"
        " current_database(), mode, shards from outbox_progress",
        {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto& row = answer->at(0);
    progress read;
    read.epoch = number_of(row[0].value_or("0"));
    read.system_id = row[1].value_or("");
    read.timeline = row[2].value_or("");
    read.published = row[3];
    read.published_at = row[4];
    if (row[5]) {
        const auto since = pg::parse_timestamptz(*row[5]);
        read.repair_since = since ? std::optional(*since) : std::nullopt;
    }
    read.database = row[6].value_or("");
    read.mode = row[7] == "polling" ? relay_mode::polling : relay_mode::logical;
    read.shards = number_of(row[8].value_or("0"));
    co_return read;
}

std::string slot_name(const progress& of) {
    constexpr std::size_t database_max = 36; // a slot's name has 63 characters at most
    std::string safe;
    for (const char c : of.database.substr(0, database_max)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        safe.push_back(plain ? c : '_');
    }
    return fmt::format("relais_outbox_{}_{}", safe, of.epoch);
}

asio::awaitable<link_result<slot_state>> look_at_slot(server_link& sql, std::string name) {
    const auto answer = co_await sql.query(
        "select active, coalesce(wal_status = 'lost', false),"
        " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint"
        " from pg_replication_slots where slot_name = $1",
        {name}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    slot_state found;
    if (!answer->empty()) {
        const auto& row = answer->at(0);
        found.exists = true;
        found.active = row[0] == "t";
        found.lost = row[1] == "t";
        found.lag_bytes = static_cast<std::int64_t>(number_of(row[2].value_or("0")));
    }
    co_return found;
}

asio::awaitable<link_result<void>> maintain_partitions(server_link& sql) {
    const auto answer = co_await sql.query("select outbox_maintain(14, 8)", {}, usual);
    co_return without_rows(answer);
}

asio::awaitable<link_result<moment>> take_moment(server_link& sql) {
    // One statement: its snapshot is taken before the function runs.
    const auto answer = co_await sql.query(
        "select pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text", {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto& row = answer->at(0);
    const auto position = parse_lsn(row[1].value_or(""));
    if (!position) {
        co_return std::unexpected(refusal{"XX000", position.error().detail});
    }
    co_return moment{row[0].value_or(""), *position};
}

asio::awaitable<link_result<void>> save_published(server_link& sql, std::uint64_t epoch,
                                                  std::string snapshot) {
    // Only the owner of the current epoch may speak.
    const auto answer = co_await sql.query(
        "update outbox_progress set published = $1::pg_snapshot, published_at = now(),"
        " updated_at = now() where epoch = $2::bigint",
        {std::move(snapshot), std::to_string(epoch)}, usual);
    co_return without_rows(answer);
}

asio::awaitable<link_result<std::size_t>> count_unpublished(server_link& sql) {
    const auto answer = co_await sql.query(
        "select count(*) from (select from outbox_event e, outbox_progress p"
        " where p.published is null or (e.xid >= pg_snapshot_xmin(p.published)"
        " and not pg_visible_in_snapshot(e.xid, p.published)) limit 100000) unpublished",
        {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return static_cast<std::size_t>(number_of(answer->at(0)[0].value_or("0")));
}

asio::awaitable<link_result<void>> heartbeat(server_link& sql) {
    const auto answer = co_await sql.query(
        "select pg_logical_emit_message(false, 'relais.outbox.heartbeat', '')", {}, usual);
    co_return without_rows(answer);
}

} // namespace relais::outbox
