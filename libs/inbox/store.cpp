#include "inbox/store.hpp"

#include "inbox/slices.hpp"

#include <algorithm>

namespace relais::inbox {
namespace {

/// The partitions as two arrays for unnest().
struct columns {
    std::vector<std::string> topics;
    std::vector<std::string> partitions;
};

columns to_columns(const std::vector<kafka::topic_partition>& all) {
    columns made;
    for (const auto& each : all) {
        made.topics.push_back(each.topic);
        made.partitions.push_back(std::to_string(each.partition));
    }
    return made;
}

} // namespace

std::vector<incoming> read_envelopes(const kafka::fetched& records) {
    std::vector<incoming> all;
    all.reserve(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        all.push_back({records[i], events::event()});
        records[i].read(all.back().event);
    }
    return all;
}

std::vector<loaded_partition> begin_partitions(pg::transaction& tx, const std::string& group,
                                               const std::vector<kafka::topic_partition>& all) {
    const auto asked = to_columns(all);
    // In one order, so that two instances that load at once cannot wait for each other.
    const auto found = tx.exec(
        "insert into inbox_watermark as w (consumer_group, topic, partition, fruitless_starts)"
        " select $1, t, p, 1 from unnest($2::text[], $3::int[]) as asked (t, p) order by t, p"
        " on conflict (consumer_group, topic, partition)"
        " do update set fruitless_starts = w.fruitless_starts + 1, updated_at = now()"
        " returning topic, partition, " RELAIS_STATE_COLUMNS,
        {group, pg::parameter::array(asked.topics), pg::parameter::array(asked.partitions)});
    const auto slices = find_slices(tx, group);
    std::vector<loaded_partition> loaded;
    for (const auto& row : found) {
        loaded_partition each{{row.text(0), static_cast<std::int32_t>(row.integer(1))},
                              read_state(row, 2)};
        const auto left = slices.find(each.where);
        each.slices = left == slices.end() ? 0 : left->second;
        loaded.push_back(std::move(each));
    }
    return loaded;
}

void end_partitions(pg::transaction& tx, const std::string& group,
                    const std::vector<kafka::topic_partition>& all) {
    const auto asked = to_columns(all);
    tx.exec("with ours as (select w.consumer_group, w.topic, w.partition from inbox_watermark w"
            "  join unnest($2::text[], $3::int[]) as asked (t, p)"
            "  on w.topic = t and w.partition = p"
            "  where w.consumer_group = $1 and w.fruitless_starts > 0"
            "  order by w.topic, w.partition for update of w skip locked)"
            " update inbox_watermark w set fruitless_starts = 0 from ours"
            " where w.consumer_group = ours.consumer_group and w.topic = ours.topic"
            " and w.partition = ours.partition",
            {group, pg::parameter::array(asked.topics), pg::parameter::array(asked.partitions)});
}

partition_state read_state(const pg::row& row, int first) {
    partition_state state;
    state.mark.source = row.text(first);
    state.mark.epoch = row.integer(first + 1);
    state.mark.lsn = static_cast<std::uint64_t>(row.integer(first + 2));
    state.mark.index = static_cast<std::uint32_t>(row.integer(first + 3));
    state.mark.recent = row.bytes(first + 4);
    state.mark.next_offset = row.optional_integer(first + 5);
    state.held_keys = row.integer(first + 6);
    state.fruitless_starts = row.integer(first + 7);
    return state;
}

partition_state lock_partition(pg::transaction& tx, const place& at) {
    const auto found = tx.exec("select " RELAIS_STATE_COLUMNS " from inbox_watermark"
                               " where consumer_group = $1 and topic = $2 and partition = $3"
                               " for update",
                               {at.group, at.where.topic, at.where.partition});
    return read_state(found.front());
}

void save_partition(pg::transaction& tx, const place& at, const partition_state& state) {
    tx.exec("update inbox_watermark set source = $4, epoch = $5, lsn = $6, idx = $7, recent = $8,"
            " next_offset = $9, held_keys = $10, fruitless_starts = $11, updated_at = now()"
            " where consumer_group = $1 and topic = $2 and partition = $3",
            {at.group, at.where.topic, at.where.partition, state.mark.source, state.mark.epoch,
             static_cast<std::int64_t>(state.mark.lsn), state.mark.index,
             pg::parameter::bytes(std::string_view(state.mark.recent)), state.mark.next_offset,
             state.held_keys, state.fruitless_starts});
}

std::vector<partition_state> lock_partitions(pg::transaction& tx,
                                             const std::vector<place>& places) {
    std::vector<kafka::topic_partition> wheres;
    wheres.reserve(places.size());
    for (const auto& each : places) {
        wheres.push_back(each.where);
    }
    const auto asked = to_columns(wheres);
    const auto found =
        tx.exec("select w.topic, w.partition, " RELAIS_STATE_COLUMNS
                " from unnest($2::text[], $3::int[]) as asked (topic, partition)"
                " join inbox_watermark w using (topic, partition) where w.consumer_group = $1"
                " order by w.topic, w.partition for update of w",
                {places.front().group, pg::parameter::array(asked.topics),
                 pg::parameter::array(asked.partitions)});
    std::map<kafka::topic_partition, partition_state> states;
    for (const auto& row : found) {
        states[{row.text(0), static_cast<std::int32_t>(row.integer(1))}] = read_state(row, 2);
    }
    std::vector<partition_state> in_order;
    in_order.reserve(wheres.size());
    for (const auto& where : wheres) {
        in_order.push_back(std::move(states.at(where)));
    }
    return in_order;
}

void save_partitions(pg::transaction& tx, const std::vector<place>& places,
                     const std::vector<partition_state>& states) {
    std::vector<kafka::topic_partition> wheres;
    std::vector<std::string> sources;
    std::vector<std::string> epochs;
    std::vector<std::string> lsns;
    std::vector<std::string> indexes;
    std::vector<std::string> recent;
    std::vector<std::string> offsets;
    std::vector<std::string> held;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& mark = states[i].mark;
        wheres.push_back(places[i].where);
        sources.push_back(mark.source);
        epochs.push_back(std::to_string(mark.epoch));
        lsns.push_back(std::to_string(static_cast<std::int64_t>(mark.lsn)));
        indexes.push_back(std::to_string(mark.index));
        recent.push_back(*pg::parameter::bytes(std::string_view(mark.recent)).text());
        offsets.push_back(std::to_string(mark.next_offset.value_or(0)));
        held.push_back(std::to_string(states[i].held_keys));
    }
    const auto of = to_columns(wheres);
    using pg::parameter;
    tx.exec("update inbox_watermark w set source = s.source, epoch = s.epoch, lsn = s.lsn,"
            " idx = s.idx, recent = s.recent, next_offset = s.next_offset,"
            " held_keys = s.held_keys, fruitless_starts = 0, updated_at = now()"
            " from unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::bigint[],"
            " $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[])"
            " as s (topic, partition, source, epoch, lsn, idx, recent, next_offset, held_keys)"
            " where w.consumer_group = $1 and w.topic = s.topic and w.partition = s.partition",
            {places.front().group, parameter::array(of.topics), parameter::array(of.partitions),
             parameter::array(sources), parameter::array(epochs), parameter::array(lsns),
             parameter::array(indexes), parameter::array(recent), parameter::array(offsets),
             parameter::array(held)});
}

std::set<event_id> note_seen(pg::transaction& tx, const std::string& group,
                             const std::set<event_id>& ids) {
    std::set<event_id> fresh;
    if (ids.empty()) {
        return fresh;
    }
    std::vector<std::string> texts;
    texts.reserve(ids.size());
    for (const auto& each : ids) {
        texts.push_back(each.text());
    }
    const auto noted = tx.exec("insert into inbox_seen (consumer_group, event_id)"
                               " select $1, unnest($2::uuid[]) on conflict do nothing"
                               " returning event_id",
                               {group, pg::parameter::array(texts)});
    for (const auto& row : noted) {
        fresh.insert(row.id_at<event_id>(0));
    }
    return fresh;
}

void maintain_seen(pg::transaction& tx, int kept_days) {
    tx.exec("select inbox_maintain_seen(7, $1)", {kept_days});
    tx.exec("delete from inbox_seen_other where seen_at < now() - $1 * interval '1 day'",
            {kept_days});
}

std::size_t forget_group(pg::transaction& tx, const std::string& group) {
    return tx
        .exec("delete from inbox_seen where consumer_group = $1 and event_id = any(array("
              "select event_id from inbox_seen where consumer_group = $1 limit 5000))",
              {group})
        .affected();
}

snapshot_versions find_snapshots(pg::transaction& tx, const std::string& group,
                                 const std::vector<events::snapshot_need>& needs) {
    snapshot_versions versions;
    if (needs.empty()) {
        return versions;
    }
    std::vector<std::string> kinds;
    std::vector<std::string> ids;
    for (const auto& need : needs) {
        kinds.push_back(need.kind);
        ids.push_back(need.id);
    }
    const auto found =
        tx.exec("select s.kind, s.id, s.version, s.erased from inbox_snapshot s"
                " join (select distinct * from unnest($2::text[], $3::text[]) as u (kind, id)) as n"
                " using (kind, id) where s.consumer_group = $1",
                {group, pg::parameter::array(kinds), pg::parameter::array(ids)});
    for (const auto& row : found) {
        versions[{row.text(0), row.text(1)}] =
            row.boolean(3) ? any_version : static_cast<std::uint64_t>(row.integer(2));
    }
    return versions;
}

bool take_version(pg::transaction& tx, const std::string& group, const std::string& kind,
                  const std::string& id, std::uint64_t version) {
    const auto taken = tx.exec("insert into inbox_snapshot as s (consumer_group, kind, id, version)"
                               " values ($1, $2, $3, $4) on conflict (consumer_group, kind, id)"
                               " do update set version = excluded.version, erased = false"
                               " where s.version < excluded.version",
                               {group, kind, id, static_cast<std::int64_t>(version)});
    return taken.affected() == 1;
}

void erase_version(pg::transaction& tx, const std::string& group, const std::string& kind,
                   const std::string& id) {
    tx.exec("insert into inbox_snapshot (consumer_group, kind, id, version, erased)"
            " values ($1, $2, $3, 0, true) on conflict (consumer_group, kind, id)"
            " do update set erased = true",
            {group, kind, id});
}

std::set<std::string> find_held(pg::transaction& tx, const place& at,
                                const std::set<std::string>& keys) {
    const std::vector<std::string> asked(keys.begin(), keys.end());
    std::set<std::string> held;
    const auto found =
        tx.exec("select key from inbox_held_key"
                " where consumer_group = $1 and topic = $2 and key = any($3::text[])",
                {at.group, at.where.topic, pg::parameter::array(asked)});
    for (const auto& row : found) {
        held.insert(row.text(0));
    }
    return held;
}

} // namespace relais::inbox
