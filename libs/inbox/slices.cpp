#include "inbox/slices.hpp"

#include "events/partitioner.hpp"

namespace relais::inbox {

int slice_of(std::string_view key, int count) {
    // Keys of a partition are alike in the hash's remainder by the number of partitions, so another
    // part of it is scattered once more (the finalizer of MurmurHash3).
    std::uint32_t hash = events::murmur2(key);
    hash ^= hash >> 16U;
    hash *= 0x85ebca6bU;
    hash ^= hash >> 13U;
    hash *= 0xc2b2ae35U;
    hash ^= hash >> 16U;
    return static_cast<int>(hash % static_cast<std::uint32_t>(count));
}

partition_state lock_slice(pg::transaction& tx, const place& at, const slice& part) {
    const auto whole = read_state(tx.exec("select " RELAIS_STATE_COLUMNS
                                          " from inbox_watermark where consumer_group = $1"
                                          " and topic = $2 and partition = $3 for share",
                                          {at.group, at.where.topic, at.where.partition})
                                      .front());
    const auto own = tx.exec(
        "insert into inbox_slice as s (consumer_group, topic, partition, slice, slices, source,"
        " epoch, lsn, idx, recent, next_offset)"
        " select consumer_group, topic, partition, $4, $5, source, epoch, lsn, idx, recent,"
        " next_offset from inbox_watermark"
        " where consumer_group = $1 and topic = $2 and partition = $3"
        " on conflict (consumer_group, topic, partition, slice) do update set slices = s.slices"
        " returning source, epoch, lsn, idx, recent, next_offset, held_keys, 0",
        {at.group, at.where.topic, at.where.partition, part.index, part.count});
    auto state = read_state(own.front());
    if (whole.mark.next_offset > state.mark.next_offset) {
        state.mark = whole.mark; // of a program that knows no slices
    }
    if (state.mark.source.empty()) {
        // On a topic of several sources each slice would take the one that it meets first.
        state.mark.source = part.source;
    }
    state.held_keys += whole.held_keys;
    return state;
}

void save_slice(pg::transaction& tx, const place& at, const slice& part,
                const partition_state& state) {
    tx.exec("update inbox_slice s set source = $5, epoch = $6, lsn = $7, idx = $8, recent = $9,"
            " next_offset = $10, held_keys = $11 - w.held_keys from inbox_watermark w"
            " where s.consumer_group = $1 and s.topic = $2 and s.partition = $3 and s.slice = $4"
            " and w.consumer_group = $1 and w.topic = $2 and w.partition = $3",
            {at.group, at.where.topic, at.where.partition, part.index, state.mark.source,
             state.mark.epoch, static_cast<std::int64_t>(state.mark.lsn), state.mark.index,
             pg::parameter::bytes(std::string_view(state.mark.recent)), state.mark.next_offset,
             state.held_keys});
}

levelled level(pg::transaction& tx, const place& at, std::optional<std::int64_t> base,
               const watermark& mark) {
    auto state = lock_partition(tx, at);
    if (state.mark.next_offset == mark.next_offset) {
        return levelled::done; // by us, and the answer was lost
    }
    if (state.mark.next_offset != base) {
        return levelled::moved;
    }
    const auto slices = tx.exec("select coalesce(max(next_offset), 0), coalesce(sum(held_keys), 0)"
                                " from inbox_slice"
                                " where consumer_group = $1 and topic = $2 and partition = $3",
                                {at.group, at.where.topic, at.where.partition});
    if (slices.front().integer(0) > mark.next_offset.value_or(0)) {
        return levelled::not_yet;
    }
    drop_slices(tx, at);
    state.mark = mark;
    state.held_keys += slices.front().integer(1);
    state.fruitless_starts = 0;
    save_partition(tx, at, state);
    return levelled::done;
}

void drop_slices(pg::transaction& tx, const place& at) {
    tx.exec("delete from inbox_slice"
            " where consumer_group = $1 and topic = $2 and partition = $3",
            {at.group, at.where.topic, at.where.partition});
}

std::map<kafka::topic_partition, int> find_slices(pg::transaction& tx, const std::string& group) {
    std::map<kafka::topic_partition, int> found;
    for (const auto& row : tx.exec("select topic, partition, max(slices) from inbox_slice"
                                   " where consumer_group = $1 group by topic, partition",
                                   {group})) {
        found[{row.text(0), static_cast<std::int32_t>(row.integer(1))}] =
            static_cast<int>(row.integer(2));
    }
    return found;
}

} // namespace relais::inbox
