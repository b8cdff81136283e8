#include "gateway/limits/concurrency_table.hpp"

#include <algorithm>
#include <bit>

namespace relais::gateway {
namespace {

constexpr unsigned count_bits = 16;

// A set that changes under a request makes it look again, this often; then it passes uncounted.
constexpr int attempts_max = 32;

std::uint32_t count_in(std::uint64_t word) {
    return static_cast<std::uint32_t>(word & concurrency_table::count_max);
}

bool is_of(std::uint64_t word, std::uint64_t key) {
    return word >> count_bits == key >> count_bits && count_in(word) > 0;
}

/// The key's word with a count of one. The lowest bits of a key choose its set and are not kept.
std::uint64_t first_of(std::uint64_t key) {
    return (key & ~std::uint64_t{concurrency_table::count_max}) | 1;
}

} // namespace

concurrency_table::concurrency_table(std::size_t slots, subject_hash hash)
    : hash_(hash), mask_(std::bit_ceil(std::max(slots, ways)) / ways - 1),
      sets_(std::make_unique<set[]>(mask_ + 1)) {}

std::size_t concurrency_table::slots() const {
    return (mask_ + 1) * ways;
}

/// Over the whole set, because for an instant a subject may have two slots.
std::uint32_t concurrency_table::count_of(const set& among, std::uint64_t key) {
    std::uint32_t count = 0;
    for (const auto& each : among.words) {
        const auto word = each.load();
        count += is_of(word, key) ? count_in(word) : 0;
    }
    return count;
}

/// Puts a first count into a slot that was free, unless the key has another slot by now.
concurrency_table::outcome concurrency_table::start(set& among, std::size_t way,
                                                    std::uint64_t before, std::uint64_t key) {
    if (!among.words[way].compare_exchange_strong(before, first_of(key))) {
        return outcome::again;
    }
    // Of two that start at once at least one sees the other here, and steps back.
    for (std::size_t other = 0; other < ways; ++other) {
        if (other != way && is_of(among.words[other].load(), key)) {
            among.words[way].fetch_sub(1);
            return outcome::again;
        }
    }
    return outcome::taken;
}

concurrency_table::outcome concurrency_table::try_take(set& among, std::uint64_t key,
                                                       std::uint32_t max,
                                                       std::atomic<std::uint64_t>*& slot) {
    std::size_t free = ways;
    std::uint64_t free_word = 0;
    for (std::size_t way = 0; way < ways; ++way) {
        auto word = among.words[way].load();
        if (!is_of(word, key)) {
            if (free == ways && count_in(word) == 0) {
                free = way;
                free_word = word;
            }
            continue;
        }
        slot = &among.words[way];
        if (count_of(among, key) >= max) {
            return outcome::refused;
        }
        return slot->compare_exchange_strong(word, word + 1) ? outcome::taken : outcome::outrun;
    }
    if (free == ways) {
        return outcome::full;
    }
    slot = &among.words[free];
    return start(among, free, free_word, key);
}

std::optional<concurrency_permit>
concurrency_table::acquire(std::uint32_t limit, std::string_view subject, std::uint32_t max) {
    if (max == 0) {
        return std::nullopt;
    }
    const auto key = hash_(limit, subject);
    auto& among = sets_[key & mask_];
    const auto most = std::min(max, count_max);
    for (int attempt = 0; attempt < attempts_max;) {
        std::atomic<std::uint64_t>* slot = nullptr;
        const auto tried = try_take(among, key, most, slot);
        if (tried == outcome::taken) {
            return concurrency_permit(slot);
        }
        if (tried == outcome::refused) {
            return std::nullopt;
        }
        if (tried == outcome::full) {
            break;
        }
        // Outrun by another request of the subject: that one got on, so this cannot go on forever.
        attempt += tried == outcome::again ? 1 : 0;
    }
    uncounted_.fetch_add(1, std::memory_order_relaxed);
    return concurrency_permit();
}

std::uint32_t concurrency_table::in_flight(std::uint32_t limit, std::string_view subject) const {
    const auto key = hash_(limit, subject);
    return count_of(sets_[key & mask_], key);
}

std::size_t concurrency_table::used() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i <= mask_; ++i) {
        count += static_cast<std::size_t>(std::ranges::count_if(
            sets_[i].words, [](auto& word) { return count_in(word.load()) > 0; }));
    }
    return count;
}

} // namespace relais::gateway
