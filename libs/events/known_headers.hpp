#pragma once

// For the .cpp files of this library only.

#include "events/event.hpp"

#include <optional>
#include <string_view>

namespace relais::events {

using header_views = decltype(record_view::headers);

/// Of the headers that name the snapshots an event needs.
inline constexpr std::string_view needs_prefix = "needs-";

/// The headers that mean something to us, found in one pass. Of a repeated one the last counts.
struct known_headers {
    using value = std::optional<std::string_view>;
    value id, type, source, specversion, time, content_type, traceparent, correlation_id,
        causation_id, expires_at, x_source, x_lsn, x_index;
    bool has_needs = false;

    explicit known_headers(header_views fields) {
        for (const auto& [name, text] : fields) {
            if (auto* slot = slot_of(name)) {
                *slot = text;
            } else {
                has_needs = has_needs || name.starts_with(needs_prefix);
            }
        }
    }

private:
    /// By length and one letter first: most are compared with one name or none.
    value* slot_of(std::string_view name) {
        switch (name.size()) {
        case 5:
            return slot_of_five(name);
        case 7:
            return name[3] == 't' && name[4] == 'y' ? only(name, "ce_type", type)
                                                    : only(name, "ce_time", time);
        case 9:
            return only(name, "ce_source", source);
        case 10:
            return only(name, "expires-at", expires_at);
        case 11:
            return only(name, "traceparent", traceparent);
        case 12:
            return only(name, "content-type", content_type);
        case 14:
            return name[3] == 's' ? only(name, "ce_specversion", specversion)
                                  : only(name, "ce_causationid", causation_id);
        case 16:
            return only(name, "ce_correlationid", correlation_id);
        default:
            return nullptr;
        }
    }

    value* slot_of_five(std::string_view name) {
        switch (name[2]) {
        case '_':
            return only(name, "ce_id", id);
        case 's':
            return only(name, "x-src", x_source);
        case 'l':
            return only(name, "x-lsn", x_lsn);
        default:
            return only(name, "x-idx", x_index);
        }
    }

    static value* only(std::string_view name, std::string_view wanted, value& slot) {
        return name == wanted ? &slot : nullptr;
    }
};

} // namespace relais::events
