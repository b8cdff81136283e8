#include "outbox/bulk_store.hpp"

namespace relais::outbox {
namespace {

constexpr std::size_t batch_bytes_max = std::size_t{8} * 1024 * 1024;

/// A plan that was made while a table was empty stays when there are a million rows. What cannot do
/// without reading a whole table (of one row) would be compiled first, so dear is it on paper.
void plan_by_index(pg::transaction& tx) {
    tx.exec("select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)");
}

} // namespace

std::optional<moved_batch> move_bulk(pg::transaction& tx, std::size_t at_most) {
    const auto locked = tx.exec("select pg_try_advisory_xact_lock(hashtext('relais_outbox_bulk'))");
    if (!locked.front().boolean(0)) {
        return std::nullopt;
    }
    plan_by_index(tx);
    // By place on the disc: whoever has the lock is the only one who takes rows. The numbers of
    // outbox_event (seq) are drawn in the order of the turns.
    const auto moved = tx.exec(
        "with next as (select ctid from"
        "   (select ctid, turn, seq, sum(octet_length(key) + coalesce(octet_length(value), 0))"
        "      over (order by turn, seq rows between unbounded preceding and 1 preceding) as before"
        "    from outbox_bulk order by turn, seq limit $1) head"
        "   where coalesce(before, 0) < $2),"
        " gone as (delete from outbox_bulk where ctid = any(array(select ctid from next))"
        "   returning *),"
        " moved as (insert into outbox_event (id, topic, key, headers, value, partition)"
        "   select id, topic, key, headers, value, partition from gone order by turn, seq"
        "   returning 1)"
        " select count(*), pg_current_xact_id()::text::bigint from moved",
        {at_most, batch_bytes_max});
    return moved_batch{static_cast<std::size_t>(moved.front().integer(0)),
                       static_cast<std::uint64_t>(moved.front().integer(1))};
}

bool relay_lags(pg::transaction& tx, std::chrono::milliseconds limit) {
    plan_by_index(tx);
    // Subqueries, not a join: so that the index begins where what is published ends.
    return tx
        .exec("select exists (select from outbox_blocked) or coalesce("
              " (select e.at from outbox_event e where e.xid >= (select"
              "     coalesce(pg_snapshot_xmin(published), '0'::xid8) from outbox_progress)"
              "   and not coalesce(pg_visible_in_snapshot(e.xid,"
              "     (select published from outbox_progress)), false)"
              "   order by e.xid limit 1) < now() - $1 * interval '1 millisecond', false)",
              {limit.count()})
        .front()
        .boolean(0);
}

lsn flushed_position(pg::transaction& tx) {
    const auto position = tx.exec("select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint");
    return static_cast<lsn>(position.front().integer(0));
}

staged count_staged(pg::transaction& tx) {
    const auto found = tx.exec("select count(*), min(staged_at) from"
                               " (select staged_at from outbox_bulk limit 1000000) counted");
    return {found.front().integer(0), found.front().optional_time(1)};
}

std::vector<tenant_staged> list_staged(pg::transaction& tx, std::size_t at_most) {
    std::vector<tenant_staged> all;
    for (const auto& row :
         tx.exec("select tenant, count(*), min(staged_at) from outbox_bulk group by tenant"
                 " order by count(*) desc, tenant limit $1",
                 {at_most})) {
        all.push_back({row.text(0), row.integer(1), row.time(2)});
    }
    return all;
}

} // namespace relais::outbox
