#include "inbox/handlers.hpp"

#include <cassert>

namespace relais::inbox {

void handlers::add(std::string type, handling entry) {
    assert(!entry.topic.empty() && "the message has no (relais.options.v1.topic)");
    if (!entry.snapshot_kind.empty()) {
        snapshot_types_[entry.topic] = type;
    }
    const bool is_new = by_type_.emplace(std::move(type), std::move(entry)).second;
    assert(is_new && "two handlers for one type");
    static_cast<void>(is_new);
}

const handling* handlers::find(const std::string& type) const {
    const auto found = by_type_.find(type);
    return found == by_type_.end() ? nullptr : &found->second;
}

const handling* handlers::find_erasable(const std::string& topic) const {
    const auto found = snapshot_types_.find(topic);
    return found == snapshot_types_.end() ? nullptr : find(found->second);
}

const handling* handlers::of(const events::event& event) const {
    return event.tombstone ? find_erasable(event.topic) : find(event.type);
}

std::vector<std::string> handlers::topics() const {
    std::set<std::string> names;
    for (const auto& [type, entry] : by_type_) {
        names.insert(entry.topic);
    }
    return {names.begin(), names.end()};
}

result<void> handlers::before(pg::transaction& tx, const context& about) const {
    for (const auto& each : around_) {
        auto allowed = each.before ? each.before(tx, about) : result<void>();
        if (!allowed) {
            return allowed;
        }
    }
    return {};
}

result<void> handlers::success(pg::transaction& tx, const context& about) const {
    for (const auto& each : around_) {
        auto accepted = each.success ? each.success(tx, about) : result<void>();
        if (!accepted) {
            return accepted;
        }
    }
    return {};
}

void handlers::error(pg::transaction& tx, const events::event& event, const relais::error& why,
                     std::uint32_t attempt) const {
    for (const auto& each : around_) {
        if (each.error) {
            each.error(tx, event, why, attempt);
        }
    }
}

void handlers::dead(pg::transaction& tx, const events::event& event,
                    const relais::error& why) const {
    for (const auto& each : around_) {
        if (each.dead) {
            each.dead(tx, event, why);
        }
    }
}

void handlers::after(const events::event& event, outcome what) const {
    for (const auto& each : around_) {
        if (each.after) {
            each.after(event, what);
        }
    }
}

} // namespace relais::inbox
