#include "gateway/limits/limit_table.hpp"

#include <algorithm>
#include <bit>

namespace relais::gateway {
namespace {

using std::chrono::nanoseconds;

constexpr unsigned turn_bits = 6;
constexpr std::uint64_t turn_mask = (std::uint64_t{1} << turn_bits) - 1;
constexpr std::uint64_t time_max = ~std::uint64_t{0} >> turn_bits;

// A slot that changes hands under a request makes it look again. This often, then it passes
// uncounted: nobody waits for anybody.
constexpr int attempts_max = 32;

/// Whether the word of a key was made from the hash, whose lowest bits choose the set.
bool is_of(std::uint64_t key, std::uint64_t hash) {
    return key >> turn_bits == hash >> turn_bits;
}

/// The word of a key that takes the slot over.
std::uint64_t next_key(std::uint64_t before, std::uint64_t hash) {
    return (hash & ~turn_mask) | ((before + 1) & turn_mask);
}

std::uint64_t pack(nanoseconds tat, std::uint64_t key) {
    const auto time = std::min(static_cast<std::uint64_t>(tat.count()), time_max);
    return time << turn_bits | (key & turn_mask);
}

nanoseconds time_in(std::uint64_t word) {
    return nanoseconds(static_cast<std::int64_t>(word >> turn_bits));
}

/// The time that the word holds for this key.
nanoseconds time_for(std::uint64_t word, std::uint64_t key) {
    return ((word ^ key) & turn_mask) == 0 ? time_in(word) : nanoseconds::zero();
}

} // namespace

limit_table::limit_table(std::size_t slots, time_point start, subject_hash hash)
    : start_(start), hash_(hash), mask_(std::bit_ceil(std::max(slots, ways)) / ways - 1),
      sets_(std::make_unique<set[]>(mask_ + 1)) {}

std::size_t limit_table::slots() const {
    return (mask_ + 1) * ways;
}

nanoseconds limit_table::since_start(time_point now) const {
    return std::max<nanoseconds>(now - start_, nanoseconds::zero());
}

limit_table::place limit_table::find(const set& among, std::uint64_t hash) {
    for (std::size_t way = 0; way < ways; ++way) {
        const auto key = among.keys[way].load();
        if (is_of(key, hash)) {
            return {way, key};
        }
    }
    return {};
}

/// Makes the slot the hash's, if it still is as it was seen and no other slot of the set is by now.
bool limit_table::claim(set& among, place& wanted, std::uint64_t time, std::uint64_t hash,
                        nanoseconds now) {
    const auto before = wanted.key;
    const auto key = next_key(before, hash);
    if (among.times[wanted.way].load() != time ||
        !among.keys[wanted.way].compare_exchange_strong(wanted.key, key)) {
        return false;
    }
    wanted.key = key;
    // Looked at only now: whoever puts a debt there later sees that the slot is not his any more.
    if (time_for(among.times[wanted.way].load(), before) > now) {
        replaced_.fetch_add(1, std::memory_order_relaxed);
    }
    // Of two that claim at once at least one sees the other here, and steps back.
    for (std::size_t way = 0; way < ways; ++way) {
        if (way != wanted.way && is_of(among.keys[way].load(), hash)) {
            among.keys[wanted.way].compare_exchange_strong(wanted.key, key & turn_mask);
            return false;
        }
    }
    // The next 63 turns do not meet this time. Fails when a request of the same subject was faster.
    among.times[wanted.way].compare_exchange_strong(time, pack(nanoseconds::zero(), key));
    return true;
}

/// The slot that the hash has, else the one that is free or in the least debt, which is then its.
limit_table::place limit_table::find_or_claim(set& among, std::uint64_t hash, nanoseconds now) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        std::array<std::uint64_t, ways> keys{};
        for (std::size_t way = 0; way < ways; ++way) {
            keys[way] = among.keys[way].load();
            if (is_of(keys[way], hash)) {
                return {way, keys[way]};
            }
        }
        std::array<std::uint64_t, ways> times{};
        std::ranges::transform(among.times, times.begin(), [](auto& word) { return word.load(); });
        const auto least = std::ranges::min_element(times, {}, time_in);
        const auto way = static_cast<std::size_t>(least - times.begin());
        place wanted{way, keys[way]};
        if (claim(among, wanted, *least, hash, now)) {
            return wanted;
        }
    }
    return {};
}

limit_decision limit_table::take(std::uint32_t limit, std::string_view subject, const rate& allowed,
                                 std::uint64_t cost, time_point now) {
    const auto hash = hash_(limit, subject);
    const auto at = since_start(now);
    auto& among = sets_[hash & mask_];
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto [way, key] = cost == 0 ? find(among, hash) : find_or_claim(among, hash, at);
        if (way == ways) {
            break;
        }
        auto word = among.times[way].load();
        // Whoever takes the slot over does not see this request, nor is the time then its own: it
        // counts where its key is next.
        while (among.keys[way].load() == key) {
            const auto tat = time_for(word, key);
            const auto step = gcra_take(allowed, tat, at, cost);
            const bool stored = step.tat == tat ||
                                among.times[way].compare_exchange_strong(word, pack(step.tat, key));
            if (stored && among.keys[way].load() == key) {
                return step.decision;
            }
        }
    }
    if (cost > 0) {
        replaced_.fetch_add(1, std::memory_order_relaxed);
    }
    return gcra_take(allowed, nanoseconds::zero(), at, cost).decision;
}

std::size_t limit_table::used(time_point now) const {
    const auto at = since_start(now);
    std::size_t count = 0;
    for (std::size_t i = 0; i <= mask_; ++i) {
        count += static_cast<std::size_t>(std::ranges::count_if(sets_[i].times, [at](auto& word) {
            return time_in(word.load(std::memory_order_relaxed)) > at;
        }));
    }
    return count;
}

} // namespace relais::gateway
