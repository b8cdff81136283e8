#include "outbox/outbox.hpp"

#include "events/topics.hpp"
#include "outbox/envelope_json.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace relais::outbox {
namespace {

/// Brokers take 1 MiB per record by default; headers and framing need their part of it.
constexpr std::size_t size_max_bytes = std::size_t{900} * 1024;

/// What would make the broker refuse the record for good, and so hold up everything behind it.
void check(const events::event& value, std::size_t headers_size) {
    const auto* topic = events::find_topic(value.topic);
    if (topic == nullptr) {
        throw std::logic_error(
            fmt::format("event {}: unknown topic '{}'", value.type, value.topic));
    }
    if (value.source != "relais/" + topic->producer) {
        throw std::logic_error(fmt::format("event {}: '{}' may not write to {}, '{}' does",
                                           value.type, value.source, topic->name, topic->producer));
    }
    if (value.key.empty()) {
        throw std::logic_error(fmt::format("event {}: no key", value.type));
    }
    if (value.tombstone && !topic->compacted) {
        throw std::logic_error(
            fmt::format("a tombstone on {}, which is not compacted", topic->name));
    }
    const auto size = value.payload.size() + value.key.size() + headers_size;
    if (size > size_max_bytes) {
        throw std::logic_error(
            fmt::format("event {}: {} bytes, {} at most", value.type, size, size_max_bytes));
    }
}

} // namespace

void append(pg::transaction& tx, const events::event& value) {
    const auto headers = headers_to_json(events::to_headers(value));
    check(value, headers.size());
    const auto payload = value.tombstone ? pg::parameter(std::nullopt)
                                         : pg::parameter::bytes(std::string_view(value.payload));
    tx.exec("insert into outbox_event (id, topic, key, headers, value)"
            " values ($1, $2, $3, $4, $5)",
            {value.id, value.topic, value.key, headers, payload});
}

} // namespace relais::outbox
