#include "clock/rfc3339.hpp"
#include "events/confluent.hpp"
#include "events/event.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <system_error>

namespace relais::events {
namespace {

constexpr std::string_view needs_prefix = "needs-";
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

/// PostgreSQL keeps keys, types and ids as text, which holds UTF-8 without NUL only.
bool is_storable_text(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (first == 0 || (first >= 0x80 && first < 0xC2) || first > 0xF4 ||
            i + length > text.size()) {
            return false;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) {
                return false;
            }
        }
        if (length > 2) {
            // No overlong forms, surrogates, or code points past U+10FFFF (RFC 3629 §4).
            const auto second = static_cast<unsigned char>(text[i + 1]);
            if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

/// The headers by name; of a repeated one the last counts. There are a dozen, so looking through
/// them is faster than an index.
class header_index {
public:
    explicit header_index(const headers& fields) : fields_(fields) {}

    const std::string* find(std::string_view name) const {
        for (auto each = fields_.rbegin(); each != fields_.rend(); ++each) {
            if (each->first == name) {
                return &each->second;
            }
        }
        return nullptr;
    }

    std::string_view text(std::string_view name) const {
        const auto* value = find(name);
        return value == nullptr ? std::string_view() : *value;
    }

private:
    const headers& fields_;
};

result<std::optional<position>> read_position(const header_index& fields) {
    const auto* source = fields.find("x-src");
    const auto* lsn = fields.find("x-lsn");
    const auto* index = fields.find("x-idx");
    if (source == nullptr && lsn == nullptr && index == nullptr) {
        return std::nullopt;
    }
    const auto colon = source == nullptr ? std::string::npos : source->rfind(':');
    if (colon == std::string::npos || colon == 0 || !is_storable_text(*source) ||
        !parse_integer<std::uint64_t>(std::string_view(*source).substr(colon + 1), 10)) {
        return bad("x-src");
    }
    const auto lsn_value = lsn == nullptr ? std::nullopt : parse_integer<std::uint64_t>(*lsn, 16);
    if (!lsn_value) {
        return bad("x-lsn");
    }
    const auto index_value =
        index == nullptr ? std::nullopt : parse_integer<std::uint32_t>(*index, 10);
    if (!index_value) {
        return bad("x-idx");
    }
    return position{*source, *lsn_value, *index_value};
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

result<std::vector<snapshot_need>> all_needs(const headers& fields) {
    std::vector<snapshot_need> needs;
    for (const auto& [name, value] : fields) {
        const std::string_view text = name;
        if (!text.starts_with(needs_prefix) || !text.ends_with(needs_suffix) ||
            text.size() <= needs_prefix.size() + needs_suffix.size()) {
            continue;
        }
        const auto kind = text.substr(needs_prefix.size(),
                                      text.size() - needs_prefix.size() - needs_suffix.size());
        const auto read = read_needs(kind, name, value, needs);
        if (!read) {
            return fail(read);
        }
    }
    return needs;
}

/// What every record of ours carries.
result<void> read_required(const header_index& fields, event& into) {
    const auto id = event_id::parse(fields.text("ce_id"));
    if (!id) {
        return bad("ce_id");
    }
    into.id = *id;
    into.type = fields.text("ce_type");
    if (into.type.empty() || !is_storable_text(into.type)) {
        return bad("ce_type");
    }
    into.source = fields.text("ce_source");
    if (into.source.empty() || !is_storable_text(into.source)) {
        return bad("ce_source");
    }
    if (fields.text("ce_specversion") != "1.0") {
        return bad("ce_specversion");
    }
    const auto time = parse_rfc3339(fields.text("ce_time"));
    if (!time) {
        return bad("ce_time");
    }
    into.time = *time;
    return {};
}

result<void> read_optional(const header_index& fields, event& into) {
    const auto traceparent = trace::context::parse(fields.text("traceparent"));
    into.cause.trace = traceparent ? *traceparent : trace::context::start();
    into.cause.correlation_id = fields.text("ce_correlationid");
    into.cause.causation_id = fields.text("ce_causationid");
    if (const auto* expiry = fields.find("expires-at")) {
        const auto time = parse_rfc3339(*expiry);
        if (!time) {
            return bad("expires-at");
        }
        into.expires_at = *time;
    }
    auto position = read_position(fields);
    if (!position) {
        return fail(position);
    }
    into.position = *std::move(position);
    return {};
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

result<event> from_record(std::string topic, std::string key, std::optional<std::string> value,
                          const headers& fields) {
    event read;
    const header_index index(fields);
    const auto required = read_required(index, read);
    if (!required) {
        return fail(required);
    }
    if (key.empty() || !is_storable_text(key)) {
        return bad("key");
    }
    const auto optional = read_optional(index, read);
    if (!optional) {
        return fail(optional);
    }
    auto needs = all_needs(fields);
    if (!needs) {
        return fail(needs);
    }
    read.needs = *std::move(needs);
    read.tombstone = !value.has_value();
    if (value && index.text("content-type") != "application/protobuf") {
        return bad("content-type");
    }
    read.topic = std::move(topic);
    read.key = std::move(key);
    read.payload = std::move(value).value_or(std::string());
    if (const auto message = unwrap_confluent(read.payload)) {
        read.payload.erase(0, read.payload.size() - message->size());
    }
    return read;
}

} // namespace relais::events
