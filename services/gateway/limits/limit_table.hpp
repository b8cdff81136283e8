#pragma once

#include "gateway/limits/gcra.hpp"
#include "gateway/limits/subject_hash.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace relais::gateway {

/// The state of all rate limits of a process, shared by its event loops: what a subject may do is
/// one allowance, whichever loop its connections are on. Fixed memory, 16 bytes a slot (65,536
/// slots: 1 MiB), no locks, no allocation after the constructor; every function may be called from
/// any thread at any time.
///
/// Slots stand in sets of eight. A subject's set is chosen by a keyed hash (subject_hash), of which
/// 58 bits are also what the slot knows it by. A slot whose theoretical arrival time is past holds
/// a full allowance, which is what an unknown subject has: it is free. When all eight of a set are
/// in debt, the one with the least debt is replaced and counted: that subject's allowance is full
/// again, too early by the little it had used; strict limits, whose debts are long, stay longest.
/// So the table fails open, never closed. With four times as many slots as subjects in debt one new
/// subject in a thousand replaces another, with twice as many one in twenty.
///
/// Exactly what the rate allows passes, from however many threads. Two things can add to that, each
/// only in the nanoseconds in which a set's slots change hands, and each at most one request for
/// every thread that is in the set at that moment: a slot that is taken for free while its subject
/// comes back, and a subject that gets two slots at once (the second is given back).
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the counter has a line of its own
class limit_table {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// `slots` is rounded up to a power of two, at least one set. `start`: the steady time now;
    /// times are kept for nine years from it.
    limit_table(std::size_t slots, time_point start, subject_hash hash = subject_hash());

    /// Takes `cost` units of the subject's allowance under this limit, or says why not (gcra_take).
    /// `limit` is any number that means one limit: the same subject under another is another
    /// allowance. Cost 0 looks and leaves no trace.
    limit_decision take(std::uint32_t limit, std::string_view subject, const rate& allowed,
                        std::uint64_t cost, time_point now);

    std::size_t slots() const;

    /// Slots in debt. Reads the whole table: for a scrape, not for a request.
    std::size_t used(time_point now) const;

    /// How often an entry in debt was replaced, or a request passed uncounted because its set
    /// changed all the time, since the start. Growing steadily means that the table is too small,
    /// or that somebody makes up subjects.
    std::uint64_t replaced() const {
        return replaced_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t ways = 8;

    /// Two cache lines: who, and until when. The lowest bits of both words count how often the slot
    /// changed hands: a time counts for a key only with the same number, so that a request which
    /// the change overtook leaves its debt to nobody.
    struct alignas(64) set {
        std::array<std::atomic<std::uint64_t>, ways> keys; ///< 0: never used
        std::array<std::atomic<std::uint64_t>, ways> times;
    };

    struct place {
        std::size_t way = ways; ///< of the set; `ways` for none
        std::uint64_t key = 0;  ///< the word in keys
    };

    std::chrono::nanoseconds since_start(time_point now) const;
    static place find(const set& among, std::uint64_t hash);
    bool claim(set& among, place& wanted, std::uint64_t time, std::uint64_t hash,
               std::chrono::nanoseconds now);
    place find_or_claim(set& among, std::uint64_t hash, std::chrono::nanoseconds now);

    time_point start_;
    subject_hash hash_;
    std::size_t mask_; ///< sets - 1
    std::unique_ptr<set[]> sets_;
    /// On a line of its own: under a flood of subjects it changes with every request.
    alignas(64) std::atomic<std::uint64_t> replaced_{0};
};

} // namespace relais::gateway
