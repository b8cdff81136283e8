#include "gateway/cache/response_cache.hpp"

#include <algorithm>

namespace relais::gateway {

response_cache::part& response_cache::part_of(std::string_view key) {
    return parts_[std::hash<std::string_view>()(key) % parts_count];
}

response_cache::slot* response_cache::find_slot(part& where, std::string_view key) {
    const auto known = where.by_key.find(key);
    if (known == where.by_key.end()) {
        return nullptr;
    }
    where.used.splice(where.used.begin(), where.used, known->second);
    return &*known->second;
}

response_cache::slot& response_cache::make_slot(part& where, const std::string& key) {
    if (auto* known = find_slot(where, key)) {
        return *known;
    }
    auto& made = where.used.emplace_front();
    made.key = key;
    made.bytes = sizeof(slot) + key.size();
    where.bytes += made.bytes;
    where.by_key.emplace(made.key, where.used.begin());
    return made;
}

response_cache::answer response_cache::match(const slot& where, const http::request_head& asked) {
    const auto found = std::ranges::find_if(
        where.variants, [&asked](const auto& each) { return each->matches(asked); });
    return found == where.variants.end() ? nullptr : *found;
}

response_cache::found response_cache::find(const std::string& key, const http::request_head& asked,
                                           steady::time_point now, const void* owner,
                                           std::function<void()> wake) {
    auto& where = part_of(key);
    const std::lock_guard lock(where.mutex);
    auto& here = make_slot(where, key);
    auto kept = match(here, asked);
    if (kept != nullptr && kept->is_fresh(now)) {
        return {state::hit, std::move(kept), false};
    }
    if (kept != nullptr && kept->serves_stale(kept->stale_while_revalidate, now)) {
        const bool refreshes = !here.led;
        here.led = true;
        return {state::stale, std::move(kept), refreshes};
    }
    if (here.led) {
        here.waiters.push_back({owner, std::move(wake)});
        return {state::wait, nullptr, false};
    }
    if (kept == nullptr && now < here.pass_until) {
        return {};
    }
    here.led = true;
    shrink(where);
    return {state::lead, std::move(kept), false};
}

response_cache::found response_cache::look(const std::string& key, const http::request_head& asked,
                                           steady::time_point now) {
    auto& where = part_of(key);
    const std::lock_guard lock(where.mutex);
    const auto* const here = find_slot(where, key);
    auto kept = here == nullptr ? nullptr : match(*here, asked);
    if (kept != nullptr && kept->is_fresh(now)) {
        return {state::hit, std::move(kept), false};
    }
    return {};
}

bool response_cache::was_purged(const part& where, const cached_answer& what,
                                steady::time_point since) {
    return std::ranges::any_of(where.purges, [&](const auto& each) {
        return each.at >= since &&
               (each.tag == "*" || std::ranges::find(what.tags, each.tag) != what.tags.end());
    });
}

void response_cache::put(const std::string& key, answer what, steady::time_point asked_at) {
    auto& where = part_of(key);
    const std::lock_guard lock(where.mutex);
    if (what->bytes() > part_bytes_max_ || was_purged(where, *what, asked_at)) {
        return;
    }
    auto& here = make_slot(where, key);
    if (here.removed_at != steady::time_point{} && here.removed_at >= asked_at) {
        return;
    }
    const auto same = std::ranges::find(here.variants, what->vary, &cached_answer::vary);
    if (same != here.variants.end() || here.variants.size() == variants_max) {
        const auto gone = same != here.variants.end() ? same : here.variants.begin();
        here.bytes -= (*gone)->bytes();
        where.bytes -= (*gone)->bytes();
        where.answers -= 1;
        here.variants.erase(gone);
    }
    here.bytes += what->bytes();
    where.bytes += what->bytes();
    where.answers += 1;
    where.stored += 1;
    here.pass_until = {};
    here.variants.push_back(std::move(what));
    shrink(where);
}

void response_cache::end(const std::string& key, bool uncacheable, steady::time_point now) {
    std::vector<waiter> waiters;
    {
        auto& where = part_of(key);
        const std::lock_guard lock(where.mutex);
        auto* const here = find_slot(where, key);
        if (here == nullptr) {
            return;
        }
        here->led = false;
        waiters.swap(here->waiters);
        if (uncacheable) {
            here->pass_until = now + pass_time;
        }
    }
    for (const auto& each : waiters) {
        each.wake();
    }
}

void response_cache::forget(const void* owner) {
    for (auto& where : parts_) {
        const std::lock_guard lock(where.mutex);
        for (auto& each : where.used) {
            std::erase_if(each.waiters, [owner](const auto& one) { return one.owner == owner; });
        }
    }
}

/// What somebody leads stays: those who wait are known there.
void response_cache::shrink(part& where) const {
    auto at = where.used.end();
    while (where.bytes > part_bytes_max_ && at != where.used.begin()) {
        --at;
        if (!at->led) {
            const auto gone = at++;
            drop(where, gone);
        }
    }
}

void response_cache::drop(part& where, slots::iterator which) {
    where.bytes -= which->bytes;
    where.answers -= which->variants.size();
    where.evicted += which->variants.size();
    where.by_key.erase(which->key);
    where.used.erase(which);
}

void response_cache::note_purge(part& where, std::string_view tag, steady::time_point now) {
    std::erase_if(where.purges, [now](const auto& each) { return now - each.at > purges_kept; });
    where.purges.push_back({std::string(tag), now});
}

void response_cache::remove(const std::string& key, steady::time_point now) {
    auto& where = part_of(key);
    const std::lock_guard lock(where.mutex);
    auto* const here = find_slot(where, key);
    if (here == nullptr) {
        return;
    }
    for (const auto& each : here->variants) {
        here->bytes -= each->bytes();
        where.bytes -= each->bytes();
    }
    where.answers -= here->variants.size();
    here->variants.clear();
    here->removed_at = now;
}

std::size_t response_cache::purge(std::string_view tag, steady::time_point now) {
    std::size_t all = 0;
    for (auto& where : parts_) {
        std::size_t count = 0;
        const std::lock_guard lock(where.mutex);
        note_purge(where, tag, now);
        for (auto& each : where.used) {
            std::erase_if(each.variants, [&](const auto& kept) {
                const bool gone =
                    tag == "*" || std::ranges::find(kept->tags, tag) != kept->tags.end();
                if (gone) {
                    each.bytes -= kept->bytes();
                    where.bytes -= kept->bytes();
                    ++count;
                }
                return gone;
            });
        }
        where.answers -= count;
        where.purged += count;
        all += count;
    }
    return all;
}

response_cache::figures response_cache::look_at() const {
    figures all;
    all.bytes_max = part_bytes_max_ * parts_count;
    for (const auto& where : parts_) {
        const std::lock_guard lock(where.mutex);
        all.bytes += where.bytes;
        all.answers += where.answers;
        all.stored += where.stored;
        all.evicted += where.evicted;
        all.purged += where.purged;
    }
    return all;
}

} // namespace relais::gateway
