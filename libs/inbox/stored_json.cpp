#include "inbox/stored_json.hpp"

#include "clock/rfc3339.hpp"
#include "ids/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace json = boost::json;

namespace relais::inbox {
namespace {

constexpr std::size_t detail_size_max = 500;

/// Text that PostgreSQL's jsonb takes: UTF-8 without NUL. The parser is the judge of the first.
bool is_storable(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return false;
    }
    boost::system::error_code failed;
    json::parse(json::serialize(json::value(json::string_view(text.data(), text.size()))), failed);
    return !failed;
}

json::value to_value(std::string_view text) {
    if (is_storable(text)) {
        return json::string(text);
    }
    return json::object{{"base64url", to_base64url(as_bytes(text))}};
}

/// The text again; an object holds bytes.
result<std::string> from_value(const json::value& value) {
    if (value.is_string()) {
        return std::string(value.get_string().begin(), value.get_string().end());
    }
    const auto* encoded = value.is_object() ? value.get_object().if_contains("base64url") : nullptr;
    if (encoded == nullptr || !encoded->is_string()) {
        return fail(error_kind::internal, "stored-headers", "a value is neither text nor bytes");
    }
    const auto& text = encoded->get_string();
    const auto bytes = from_base64url({text.data(), text.size()});
    if (!bytes) {
        return fail(error_kind::internal, "stored-headers", "a value is not base64url");
    }
    return std::string(bytes->begin(), bytes->end());
}

} // namespace

std::string headers_to_json(const events::headers& fields) {
    json::array array;
    array.reserve(fields.size());
    for (const auto& [name, value] : fields) {
        array.push_back(json::array{to_value(name), to_value(value)});
    }
    return json::serialize(array);
}

result<events::headers> headers_from_json(std::string_view text) {
    boost::system::error_code failed;
    const auto parsed = json::parse({text.data(), text.size()}, failed);
    if (failed || !parsed.is_array()) {
        return fail(error_kind::internal, "stored-headers", "not a JSON array");
    }
    events::headers fields;
    for (const auto& pair : parsed.get_array()) {
        if (!pair.is_array() || pair.get_array().size() != 2) {
            return fail(error_kind::internal, "stored-headers", "an entry is not a pair");
        }
        auto name = from_value(pair.get_array()[0]);
        auto value = from_value(pair.get_array()[1]);
        if (!name || !value) {
            return fail(name ? value : name);
        }
        fields.emplace_back(*std::move(name), *std::move(value));
    }
    return fields;
}

std::string failure_to_json(const error& reason, std::uint32_t attempt, timestamp at) {
    std::string detail = reason.detail.substr(0, detail_size_max);
    while (!is_storable(detail)) {
        detail.pop_back(); // the cut went through a character, or the detail holds bytes
    }
    return json::serialize(json::array{json::object{{"at", to_rfc3339(at)},
                                                    {"attempt", attempt},
                                                    {"kind", json::string(to_string(reason.kind))},
                                                    {"slug", reason.slug},
                                                    {"detail", detail}}});
}

std::string join_failures(const std::string& earlier, const std::string& later) {
    if (earlier.size() <= 2) {
        return later;
    }
    return earlier.substr(0, earlier.size() - 1) + "," + later.substr(1);
}

} // namespace relais::inbox
