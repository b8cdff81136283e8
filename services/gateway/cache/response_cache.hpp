#pragma once

#include "gateway/cache/cached_answer.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::gateway {

/// The answers that the gateway keeps, one store for all event loops: so one request of many fills
/// it for all of them, memory is not taken once per loop, and a purge is one call. Divided in
/// parts, each with a lock that is held for a look into a table; nothing waits under it, and only
/// routes with a cache come here. Within a part the answer that was not asked for longest goes
/// first.
class response_cache {
public:
    using steady = std::chrono::steady_clock;
    using answer = std::shared_ptr<const cached_answer>;

    explicit response_cache(std::size_t bytes_max) : part_bytes_max_(bytes_max / parts_count) {}

    enum class state : std::uint8_t {
        hit,   ///< fresh
        stale, ///< may be given while somebody asks anew
        lead,  ///< ask the service for all who want it; end() must follow
        wait,  ///< somebody asks; wake is called once he is done
        pass   ///< not for the cache, for now
    };

    struct found {
        state is = state::pass;
        answer kept; ///< hit, stale; with lead what can be asked about; else null
        bool refreshes =
            false; ///< with stale: nobody asks anew yet, so the caller does, as a leader
    };

    /// `owner` and wake: for `wait`. Wake is called on any thread, outside of locks.
    found find(const std::string& key, const http::request_head& asked, steady::time_point now,
               const void* owner, std::function<void()> wake);
    /// Without leading or waiting: hit or pass.
    found look(const std::string& key, const http::request_head& asked, steady::time_point now);

    /// Keeps it, unless what it carries was purged since `asked_at`.
    void put(const std::string& key, answer what, steady::time_point asked_at);

    /// A leader is done; who waits looks again. `uncacheable`: for a while nobody waits for this
    /// key.
    void end(const std::string& key, bool uncacheable, steady::time_point now);

    /// Nobody of this owner waits any more.
    void forget(const void* owner);

    void remove(const std::string& key, steady::time_point now);
    /// Everything that carries the tag; "*": everything. Gives how many.
    std::size_t purge(std::string_view tag, steady::time_point now);

    /// Now, and since the start.
    struct figures {
        std::size_t bytes = 0;
        std::size_t bytes_max = 0;
        std::size_t answers = 0;
        std::uint64_t stored = 0;  ///< fresh ones that replace old ones, too
        std::uint64_t evicted = 0; ///< answers that went because others needed the room
        std::uint64_t purged = 0;  ///< answers that went because a purge named them
    };

    figures look_at() const;

private:
    static constexpr std::size_t parts_count = 8;
    static constexpr std::size_t variants_max = 8;
    static constexpr std::chrono::seconds pass_time{2};
    static constexpr std::chrono::seconds purges_kept{60};

    struct waiter {
        const void* owner;
        std::function<void()> wake;
    };

    struct slot {
        std::string key;
        std::vector<answer> variants;
        steady::time_point pass_until;
        steady::time_point removed_at; ///< what was asked for before that is not kept
        std::vector<waiter> waiters;
        bool led = false;
        std::size_t bytes = 0;
    };

    using slots = std::list<slot>;

    struct purge_mark {
        std::string tag;
        steady::time_point at;
    };

    struct part {
        mutable std::mutex mutex; // all loops use it; held for a look or a change in memory
        slots used;               ///< the one asked for last is in front
        std::unordered_map<std::string_view, slots::iterator> by_key;
        std::vector<purge_mark> purges;
        std::size_t bytes = 0;
        std::size_t answers = 0;
        std::uint64_t stored = 0;
        std::uint64_t evicted = 0;
        std::uint64_t purged = 0;
    };

    part& part_of(std::string_view key);
    static slot* find_slot(part& where, std::string_view key);
    static slot& make_slot(part& where, const std::string& key);
    static answer match(const slot& where, const http::request_head& asked);
    static bool was_purged(const part& where, const cached_answer& what, steady::time_point since);
    void shrink(part& where) const;
    static void drop(part& where, slots::iterator which);
    static void note_purge(part& where, std::string_view tag, steady::time_point now);

    std::size_t part_bytes_max_;
    std::array<part, parts_count> parts_;
};

} // namespace relais::gateway
