#include "clock/rfc3339.hpp"
#include "events/confluent.hpp"
#include "events/event.hpp"
#include "events/known_headers.hpp"
#include "events/storable_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <system_error>

namespace relais::events {
namespace {

constexpr std::string_view needs_suffix = "-version";

std::unexpected<error> bad(std::string_view header) {
    return fail(error_kind::invalid, "bad-envelope", std::string(header));
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text, int base) {
    Integer value = 0;
    const auto parsed = std::from_chars(text.begin(), text.end(), value, base);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.end()) {
        return std::nullopt;
    }
    return value;
}

/// Copies a text that must not be empty, once it is checked. Most records have the same types and
/// sources as the one that was read into this event before: that text was checked then.
bool take_text(std::string_view text, std::string& into) {
    if (into == text && !text.empty()) {
        return true;
    }
    if (text.empty() || !is_storable_text(text)) {
        return false;
    }
    into = text;
    return true;
}

std::string_view or_empty(const known_headers::value& text) {
    return text.value_or(std::string_view());
}

/// `<service>:<epoch>`
bool is_source(std::string_view text) {
    const auto colon = text.rfind(':');
    return colon != std::string_view::npos && colon > 0 && is_storable_text(text) &&
           parse_integer<std::uint64_t>(text.substr(colon + 1), 10).has_value();
}

result<void> read_position(const known_headers& fields, std::optional<position>& into) {
    const auto& source = fields.x_source;
    if (!source && !fields.x_lsn && !fields.x_index) {
        into.reset();
        return {};
    }
    const bool same = into && source && into->source == *source;
    if (!same && (!source || !is_source(*source))) {
        return bad("x-src");
    }
    const auto lsn = parse_integer<std::uint64_t>(or_empty(fields.x_lsn), 16);
    if (!lsn) {
        return bad("x-lsn");
    }
    const auto index = parse_integer<std::uint32_t>(or_empty(fields.x_index), 10);
    if (!index) {
        return bad("x-idx");
    }
    if (!into) {
        into.emplace();
    }
    if (!same) {
        into->source = *source;
    }
    into->lsn = *lsn;
    into->index = *index;
    return {};
}

/// `<id>:<version>,<id>:<version>`
result<void> read_needs(std::string_view kind, std::string_view name, std::string_view list,
                        std::vector<snapshot_need>& into) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto item = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        const auto colon = item.rfind(':');
        const auto version = colon == std::string_view::npos || colon == 0
                                 ? std::nullopt
                                 : parse_integer<std::uint64_t>(item.substr(colon + 1), 10);
        if (!version || !is_storable_text(item)) {
            return bad(name);
        }
        into.push_back({std::string(kind), std::string(item.substr(0, colon)), *version});
    }
    return {};
}

result<void> all_needs(header_views fields, std::vector<snapshot_need>& into) {
    for (const auto& [name, value] : fields) {
        if (!name.starts_with(needs_prefix) || !name.ends_with(needs_suffix) ||
            name.size() <= needs_prefix.size() + needs_suffix.size()) {
            continue;
        }
        const auto kind = name.substr(needs_prefix.size(),
                                      name.size() - needs_prefix.size() - needs_suffix.size());
        auto read = read_needs(kind, name, value, into);
        if (!read) {
            return read;
        }
    }
    return {};
}

/// What every record of ours carries.
result<void> read_required(const known_headers& fields, event& into) {
    const auto id = event_id::parse(or_empty(fields.id));
    if (!id) {
        return bad("ce_id");
    }
    into.id = *id;
    if (!take_text(or_empty(fields.type), into.type)) {
        return bad("ce_type");
    }
    if (!take_text(or_empty(fields.source), into.source)) {
        return bad("ce_source");
    }
    if (fields.specversion != "1.0") {
        return bad("ce_specversion");
    }
    const auto time = parse_rfc3339(or_empty(fields.time));
    if (!time) {
        return bad("ce_time");
    }
    into.time = *time;
    return {};
}

result<void> read_optional(const known_headers& fields, event& into) {
    const auto traceparent = trace::context::parse(or_empty(fields.traceparent));
    into.cause.trace = traceparent ? *traceparent : trace::context::start();
    into.cause.correlation_id = or_empty(fields.correlation_id);
    into.cause.causation_id = or_empty(fields.causation_id);
    into.expires_at.reset();
    if (fields.expires_at) {
        const auto time = parse_rfc3339(*fields.expires_at);
        if (!time) {
            return bad("expires-at");
        }
        into.expires_at = *time;
    }
    return read_position(fields, into.position);
}

} // namespace

headers to_headers(const event& value) {
    headers fields{{"ce_specversion", "1.0"},
                   {"ce_id", value.id.text()},
                   {"ce_type", value.type},
                   {"ce_source", value.source},
                   {"ce_time", to_rfc3339(value.time)},
                   {"ce_subject", value.key},
                   {"ce_partitionkey", value.key}};
    if (!value.tombstone) {
        fields.emplace_back("content-type", "application/protobuf");
    }
    fields.emplace_back("traceparent", value.cause.trace.traceparent());
    fields.emplace_back("ce_correlationid", value.cause.correlation_id);
    fields.emplace_back("ce_causationid", value.cause.causation_id);
    if (value.expires_at) {
        fields.emplace_back("expires-at", to_rfc3339(*value.expires_at));
    }
    std::map<std::string, std::string> needs;
    for (const auto& need : value.needs) {
        auto& list = needs[need.kind];
        list += fmt::format("{}{}:{}", list.empty() ? "" : ",", need.id, need.version);
    }
    for (auto& [kind, list] : needs) {
        fields.emplace_back(fmt::format("{}{}{}", needs_prefix, kind, needs_suffix), list);
    }
    if (value.position) {
        const auto placed = position_headers(*value.position);
        fields.insert(fields.end(), placed.begin(), placed.end());
    }
    return fields;
}

headers position_headers(const position& value) {
    return {{"x-src", value.source},
            {"x-lsn", fmt::format("{:016x}", value.lsn)},
            {"x-idx", std::to_string(value.index)}};
}

result<void> read_record(const record_view& record, event& into) {
    const known_headers fields(record.headers);
    auto required = read_required(fields, into);
    if (!required) {
        return required;
    }
    if (record.key.empty() || !is_storable_text(record.key)) {
        return bad("key");
    }
    auto optional = read_optional(fields, into);
    if (!optional) {
        return optional;
    }
    into.needs.clear();
    if (fields.has_needs) {
        auto needs = all_needs(record.headers, into.needs);
        if (!needs) {
            return needs;
        }
    }
    into.tombstone = !record.value.has_value();
    if (record.value && fields.content_type != "application/protobuf") {
        return bad("content-type");
    }
    into.topic = record.topic;
    into.key = record.key;
    const auto payload = record.value.value_or(std::string_view());
    into.payload = unwrap_confluent(payload).value_or(payload);
    return {};
}

result<event> from_record(const record_view& record) {
    result<event> made;
    const auto read = read_record(record, *made);
    return read ? std::move(made) : fail(read);
}

result<event> from_record(std::string_view topic, std::string_view key,
                          std::optional<std::string_view> value, const headers& fields) {
    const std::vector<std::pair<std::string_view, std::string_view>> views(fields.begin(),
                                                                           fields.end());
    return from_record({.topic = topic, .key = key, .value = value, .headers = views});
}

} // namespace relais::events
