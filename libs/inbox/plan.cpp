#include "inbox/plan.hpp"

#include <fmt/format.h>

#include <charconv>

namespace relais::inbox {
namespace {

/// Notes what makes an event new. False: it is a duplicate.
bool take_as_new(const events::event& event, std::int64_t offset, knowledge& known) {
    switch (judge(known.mark, event, offset)) {
    case novelty::duplicate:
        return false;
    case novelty::by_id:
        return known.unseen.erase(event.id) > 0;
    case novelty::fresh:
        advance(known.mark, event);
        return true;
    }
    return false;
}

} // namespace

step decide(const candidate& next, knowledge& known) {
    if (next.event == nullptr) {
        const bool again = known.mark.next_offset && next.offset < *known.mark.next_offset;
        return again ? step::duplicate : step::bury;
    }
    const auto& event = *next.event;
    if (!take_as_new(event, next.offset, known)) {
        return step::duplicate;
    }
    if (event.tombstone && !next.compacted_topic) {
        return step::bury;
    }
    if (!next.handled) {
        return step::unknown_type;
    }
    if (known.held.contains(event.key)) {
        return step::park_behind;
    }
    if (event.tombstone) {
        return step::erase;
    }
    if (event.expires_at && *event.expires_at <= known.now) {
        return step::expired;
    }
    if (!missing(event.needs, known.snapshots).empty()) {
        known.held.insert(event.key);
        return step::park_waiting;
    }
    return step::run;
}

std::vector<events::snapshot_need> missing(const std::vector<events::snapshot_need>& needs,
                                           const snapshot_versions& snapshots) {
    std::vector<events::snapshot_need> unmet;
    for (const auto& need : needs) {
        const auto found = snapshots.find({need.kind, need.id});
        if (found == snapshots.end() || found->second < need.version) {
            unmet.push_back(need);
        }
    }
    return unmet;
}

std::string to_text(const events::snapshot_need& need) {
    return fmt::format("{}:{}:{}", need.kind, need.id, need.version);
}

events::snapshot_need need_from_text(std::string_view text) {
    const auto first = text.find(':');
    const auto last = text.rfind(':');
    if (first == std::string_view::npos || first == last) {
        return {};
    }
    events::snapshot_need need{std::string(text.substr(0, first)),
                               std::string(text.substr(first + 1, last - first - 1)), 0};
    std::from_chars(text.data() + last + 1, text.data() + text.size(), need.version);
    return need;
}

} // namespace relais::inbox
