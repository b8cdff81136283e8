#include "gateway/events/cache_purge.hpp"

#include <relais/edge/v1/cache_events.pb.h>

namespace relais::gateway {

std::optional<std::string> purged_key(const kafka::record& record) {
    const auto event = kafka::to_event(record);
    if (!event || event->type != edge::v1::CachePurgeRequested::descriptor()->full_name()) {
        return std::nullopt;
    }
    const auto asked = events::decode<edge::v1::CachePurgeRequested>(*event);
    return asked ? std::optional(asked->surrogate_key()) : std::nullopt;
}

} // namespace relais::gateway
