#include "inbox/watermark.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <tuple>

namespace relais::inbox {
namespace {

constexpr std::size_t tail_size = 8;
/// What is kept of the ids of an epoch that ended.
constexpr std::size_t ended_epoch_bytes = events::in_flight_max * tail_size;

std::string_view tail_of(const event_id& id) {
    const auto& bytes = id.value().bytes();
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of an array are characters
    return {reinterpret_cast<const char*>(bytes.data()) + bytes.size() - tail_size, tail_size};
}

/// As a number: this is asked for every event.
std::uint64_t number_of(std::string_view tail) {
    std::uint64_t number = 0;
    std::memcpy(&number, tail.data(), std::min(tail.size(), tail_size));
    return number;
}

/// Looks at all of them, because the compiler does that several at a time.
bool holds(const std::string& recent, std::string_view tail) {
    const auto wanted = number_of(tail);
    bool found = false;
    for (std::size_t i = 0; i + tail_size <= recent.size(); i += tail_size) {
        std::uint64_t each = 0;
        std::memcpy(&each, recent.data() + i, tail_size);
        found |= each == wanted;
    }
    return found;
}

struct origin {
    std::string_view service;
    std::int64_t epoch = 0;
};

/// "<service>:<epoch>", checked when the record was read.
origin origin_of(const events::position& position) {
    const std::string_view text = position.source;
    const auto colon = text.rfind(':');
    origin read{text.substr(0, colon), 0};
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), read.epoch);
    return read;
}

} // namespace

bool needs_look_up(const watermark& mark, const events::event& event, std::int64_t offset) {
    const bool before = mark.next_offset && offset < *mark.next_offset;
    return !before && (!event.position ||
                       (!mark.source.empty() && mark.source != origin_of(*event.position).service));
}

novelty judge(const watermark& mark, const events::event& event, std::int64_t offset) {
    if (mark.next_offset && offset < *mark.next_offset) {
        return novelty::duplicate;
    }
    if (!event.position) {
        return novelty::by_id;
    }
    const auto from = origin_of(*event.position);
    if (!mark.source.empty() && mark.source != from.service) {
        return novelty::by_id;
    }
    const auto place = std::tuple(from.epoch, event.position->lsn, event.position->index);
    const bool behind =
        !mark.source.empty() && place <= std::tuple(mark.epoch, mark.lsn, mark.index);
    const bool again = holds(mark.recent, tail_of(event.id));
    return behind || again ? novelty::duplicate : novelty::fresh;
}

void advance(watermark& mark, const events::event& event) {
    if (!event.position) {
        return;
    }
    const auto from = origin_of(*event.position);
    if (!mark.source.empty() && mark.source != from.service) {
        return;
    }
    const auto place = std::tuple(from.epoch, event.position->lsn, event.position->index);
    if (!mark.source.empty() && place <= std::tuple(mark.epoch, mark.lsn, mark.index)) {
        return;
    }
    if (from.epoch != mark.epoch && mark.recent.size() > ended_epoch_bytes) {
        mark.recent.erase(0, mark.recent.size() - ended_epoch_bytes);
    }
    mark.source = from.service;
    std::tie(mark.epoch, mark.lsn, mark.index) = place;
    mark.recent.append(tail_of(event.id));
    if (mark.recent.size() > recent_ids_max * tail_size) {
        const bool repair = mark.lsn == 0;
        mark.recent.erase(repair ? ended_epoch_bytes : 0, tail_size);
    }
}

} // namespace relais::inbox
