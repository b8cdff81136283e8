#include "outbox/polling_store.hpp"

#include "events/topics.hpp"
#include "outbox/assigned_rows.hpp"
#include "outbox/snapshot_text.hpp"
#include "postgres/text_format.hpp"

#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds usual{5};
/// Listing after a long outage.
constexpr std::chrono::minutes long_limit{5};

/// Whoever is written down for a partition must be the same shard for ever, on every server.
constexpr std::string_view shard_sql = "((get_byte(sha256(convert_to(e.topic, 'UTF8')), 0)"
                                       " + coalesce(e.partition, outbox_partition(e.topic, e.key)))"
                                       " % (select shards from outbox_progress))";

std::string to_array(const std::vector<int>& numbers) {
    std::vector<std::string> texts;
    texts.reserve(numbers.size());
    for (const int each : numbers) {
        texts.push_back(std::to_string(each));
    }
    return pg::to_array(texts);
}

asio::awaitable<link_result<void>> run(server_link& sql, std::string statement,
                                       std::vector<std::optional<std::string>> parameters,
                                       std::chrono::milliseconds at_most = usual) {
    const auto done = co_await sql.query(std::move(statement), std::move(parameters), at_most);
    if (!done) {
        co_return std::unexpected(done.error());
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<bool>> ask(server_link& sql, std::string statement) {
    const auto answer = co_await sql.query(std::move(statement), {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return answer->at(0)[0] == "t";
}

} // namespace

asio::awaitable<link_result<bool>> try_lock(server_link& sql, mode_lock how) {
    auto got = co_await ask(sql, fmt::format("select pg_try_advisory_lock{}(hashtext('{}'))",
                                             how == mode_lock::shared ? "_shared" : "",
                                             "relais_outbox_mode"));
    co_return got;
}

asio::awaitable<link_result<void>> unlock(server_link& sql, mode_lock how) {
    auto done =
        co_await run(sql,
                     fmt::format("select pg_advisory_unlock{}(hashtext('{}'))",
                                 how == mode_lock::shared ? "_shared" : "", "relais_outbox_mode"),
                     {});
    co_return done;
}

asio::awaitable<link_result<bool>> try_lock_repair(server_link& sql) {
    auto got = co_await ask(sql, "select pg_try_advisory_lock(hashtext('relais_outbox_repair'))");
    co_return got;
}

asio::awaitable<link_result<void>> unlock_repair(server_link& sql) {
    auto done =
        co_await run(sql, "select pg_advisory_unlock(hashtext('relais_outbox_repair'))", {});
    co_return done;
}

asio::awaitable<link_result<server_identity>> identify_by_sql(server_link& sql) {
    const auto answer = co_await sql.query(
        "select system_identifier::text,"
        " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint::text"
        " from pg_control_system()",
        {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto& row = answer->at(0);
    co_return server_identity{row[0].value_or(""), row[1].value_or("")};
}

asio::awaitable<link_result<void>> enter_polling(server_link& sql, std::size_t shards,
                                                 server_identity server) {
    const auto epoch = co_await next_epoch(sql);
    if (!epoch) {
        co_return std::unexpected(epoch.error());
    }
    const auto count = std::to_string(shards);
    const std::vector<std::pair<std::string, std::vector<std::optional<std::string>>>> steps{
        {"begin isolation level repeatable read", {}},
        {"delete from outbox_repair", {}},
        {std::string(list_unpublished_sql), {server.system_id}},
        {"delete from outbox_assigned", {}},
        {"delete from outbox_shard", {}},
        {"insert into outbox_shard (shard, seen, published)"
         " select n, pg_current_snapshot(), p.published"
         " from generate_series(0, $1::int - 1) n, outbox_progress p",
         {count}},
        {std::string(begin_epoch_sql),
         {std::to_string(*epoch), server.system_id, server.timeline, "polling", count}},
        {"commit", {}},
    };
    for (const auto& [statement, parameters] : steps) {
        const auto done = co_await sql.query(statement, parameters, long_limit);
        if (!done) {
            const auto& why = done.error();
            co_await sql.query("rollback", {}, usual);
            co_return std::unexpected(why);
        }
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<void>> save_topics(server_link& sql) {
    std::vector<std::string> names;
    std::vector<std::string> partitions;
    for (const auto& topic : events::all_topics()) {
        names.push_back(topic.name);
        partitions.push_back(std::to_string(topic.partitions));
    }
    auto saved = co_await run(sql,
                              "insert into outbox_topic (topic, partitions)"
                              " select * from unnest($1::text[], $2::int[]) on conflict (topic)"
                              " do update set partitions = excluded.partitions"
                              " where outbox_topic.partitions <> excluded.partitions",
                              {pg::to_array(names), pg::to_array(partitions)});
    co_return saved;
}

asio::awaitable<link_result<std::vector<shard>>> take_shards(server_link& sql,
                                                             std::vector<int> held) {
    // CASE, because the order of conditions is the planner's.
    const auto taken = co_await sql.query(
        "select shard from outbox_shard where case when shard = any($1::int[]) then false"
        " else pg_try_advisory_lock(hashtext('relais_outbox_shard'), shard) end",
        {to_array(held)}, usual);
    if (!taken) {
        co_return std::unexpected(taken.error());
    }
    std::vector<shard> shards;
    for (const auto& row : *taken) {
        // Read now that it is ours.
        const auto& number = row[0];
        const auto seen = co_await sql.query("select seen from outbox_shard where shard = $1::int",
                                             {number}, usual);
        if (!seen) {
            co_return std::unexpected(seen.error());
        }
        if (!seen->empty()) {
            shards.push_back({static_cast<int>(to_number(number)), seen->at(0)[0].value_or("")});
        }
    }
    co_return shards;
}

asio::awaitable<link_result<std::string>> current_snapshot(server_link& sql) {
    const auto answer = co_await sql.query("select pg_current_snapshot()", {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return answer->at(0)[0].value_or("");
}

asio::awaitable<link_result<round>> assign(server_link& sql, round_request what) {
    // One statement has one snapshot, which pg_current_snapshot() names: what it sees of
    // outbox_event is what that snapshot sees.
    static const std::string statement = fmt::format(
        "with cur as materialized (select pg_current_snapshot() as seen),"
        " fresh as materialized (select e.seq, e.at, {} as shard from outbox_event e"
        "   where e.xid >= $1::xid8 or e.xid = any($2::xid8[])),"
        " mine as materialized (select * from fresh where shard = any($3::int[])),"
        " place as materialized (select nextval('outbox_position') as position"
        "   where exists (select from mine)),"
        " taken as (insert into outbox_assigned (shard, position, idx, seq, at)"
        "   select shard, position, row_number() over (order by seq) - 1, seq, at from mine, place"
        "   returning *),"
        " moved as (update outbox_shard o set seen = cur.seen from cur"
        "   where o.shard = any($3::int[]) and exists (select from place)),"
        " gone as (delete from outbox_assigned a"
        "   where a.shard = any($3::int[]) and a.position <= $4::bigint)"
        " select cur.seen, p.epoch, (select count(*) from taken), (select position from place),"
        "   t.idx, e.at, e.seq, e.topic, e.key, e.headers, e.value"
        " from cur cross join outbox_progress p left join (taken t join outbox_event e"
        "   on e.seq = t.seq and e.at = t.at) on (select count(*) from taken) <= $5::bigint"
        " order by t.idx",
        shard_sql);
    const auto seen = parse_snapshot(what.seen);
    if (!seen) {
        co_return std::unexpected(refusal{"XX000", seen.error().detail});
    }
    const auto answer = co_await sql.query(
        statement,
        {std::to_string(seen->xmax), pg::to_array(seen->in_progress), to_array(what.shards),
         std::to_string(what.delivered), std::to_string(what.rows_max)},
        long_limit);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    auto read = to_round(*answer);
    co_return read;
}

asio::awaitable<link_result<std::vector<assigned_event>>>
read_assigned(server_link& sql, std::vector<int> shards, std::size_t at_most) {
    const auto answer = co_await sql.query(
        "select a.position, a.idx, e.at, e.seq, e.topic, e.key, e.headers, e.value"
        " from (select * from outbox_assigned where shard = any($1::int[])"
        "   order by position, idx limit $2::bigint) a"
        " join outbox_event e on e.seq = a.seq and e.at = a.at order by a.position, a.idx",
        {to_array(shards), std::to_string(at_most)}, long_limit);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    auto read = to_assigned(*answer);
    co_return read;
}

asio::awaitable<link_result<void>> forget_assigned(server_link& sql, std::vector<int> shards,
                                                   lsn position, std::uint32_t index) {
    auto done = co_await run(sql,
                             "delete from outbox_assigned where shard = any($1::int[])"
                             " and (position, idx) <= ($2::bigint, $3::int)",
                             {to_array(shards), std::to_string(position), std::to_string(index)});
    co_return done;
}

asio::awaitable<link_result<void>> save_shards(server_link& sql, std::uint64_t epoch,
                                               std::vector<int> shards, std::string snapshot) {
    // The earliest snapshot of all shards: it sees nothing that another one does not see.
    auto done = co_await run(
        sql,
        "with mine as (update outbox_shard set published = $1::pg_snapshot"
        "   where shard = any($2::int[]) returning shard),"
        " every as (select $1::pg_snapshot as published from mine union all"
        "   select published from outbox_shard where shard <> all($2::int[])),"
        " earliest as (select published from every order by"
        "   published is null desc, pg_snapshot_xmax(published), pg_snapshot_xmin(published),"
        "   (select count(*) from pg_snapshot_xip(published)) desc limit 1)"
        " update outbox_progress p set published = e.published, published_at = now(),"
        " updated_at = now() from earliest e where p.epoch = $3::bigint"
        " and e.published is not null",
        {std::move(snapshot), to_array(shards), std::to_string(epoch)});
    co_return done;
}

} // namespace relais::outbox
