#include "outbox/event_rows.hpp"

#include "outbox/envelope_json.hpp"
#include "outbox/wire.hpp"
#include "postgres/text_format.hpp"

#include <charconv>

namespace relais::outbox {
namespace {

std::unexpected<error> unreadable(std::string why) {
    return fail(error_kind::internal, "outbox-row", std::move(why));
}

/// A bigint, in the form it was sent in.
std::uint64_t number_of(const pgoutput::value& from) {
    if (from.binary) {
        return wire_reader(from.bytes).int64();
    }
    std::uint64_t number = 0;
    std::from_chars(from.bytes.data(), from.bytes.data() + from.bytes.size(), number);
    return number;
}

} // namespace

void event_rows::describe(const pgoutput::relation& table) {
    if (table.name != "outbox_event") {
        return;
    }
    columns found;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto name = table.columns[i].name;
        const int place = static_cast<int>(i);
        if (name == "seq") {
            found.seq = place;
        } else if (name == "topic") {
            found.topic = place;
        } else if (name == "key") {
            found.key = place;
        } else if (name == "headers") {
            found.headers = place;
        } else if (name == "value") {
            found.value = place;
        }
    }
    tables_[table.id] = found;
}

result<std::optional<outgoing>> event_rows::read(const pgoutput::insert& row) const {
    const auto table = tables_.find(row.relation_id);
    if (table == tables_.end()) {
        return std::nullopt;
    }
    const auto at = [&row](int place) -> const std::optional<pgoutput::value>* {
        const bool there = place >= 0 && static_cast<std::size_t>(place) < row.values.size();
        return there ? &row.values[static_cast<std::size_t>(place)] : nullptr;
    };
    const auto* seq = at(table->second.seq);
    const auto* topic = at(table->second.topic);
    const auto* key = at(table->second.key);
    const auto* headers = at(table->second.headers);
    const auto* value = at(table->second.value);
    if (seq == nullptr || topic == nullptr || key == nullptr || headers == nullptr ||
        value == nullptr || !*seq || !*topic || !*key || !*headers) {
        return unreadable("a column of outbox_event is missing");
    }
    outgoing read;
    read.seq = number_of(**seq);
    auto& made = read.record;
    made.topic = (*topic)->bytes; // text and json have the same text and binary forms
    made.key = (*key)->bytes;
    auto fields = headers_from_json((*headers)->bytes);
    if (!fields) {
        return unreadable(fields.error().detail);
    }
    made.headers = std::move(*fields);
    if (*value) {
        auto bytes = (*value)->binary ? result<std::string>(std::string((*value)->bytes))
                                      : pg::parse_bytea((*value)->bytes);
        if (!bytes) {
            return unreadable(bytes.error().detail);
        }
        made.value = std::move(*bytes);
    }
    return read;
}

} // namespace relais::outbox
