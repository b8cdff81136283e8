#pragma once

#include "outbox/outgoing.hpp"
#include "outbox/pgoutput.hpp"

#include <map>

namespace relais::outbox {

/// Turns inserted rows of outbox_event into records. Pure; one per stream, because a stream
/// describes a table before its first row and again whenever it changed.
class event_rows {
public:
    void describe(const pgoutput::relation& table);

    /// The event without position headers. nullopt: a row of another table. Errors: `internal` /
    /// "outbox-row" when columns are missing or unreadable.
    result<std::optional<outgoing>> read(const pgoutput::insert& row) const;

private:
    struct columns {
        int seq = -1;
        int topic = -1;
        int key = -1;
        int headers = -1;
        int value = -1;
    };

    std::map<std::uint32_t, columns> tables_;
};

} // namespace relais::outbox
