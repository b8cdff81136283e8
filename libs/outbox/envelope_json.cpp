#include "outbox/envelope_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace json = boost::json;

namespace relais::outbox {

std::string headers_to_json(const events::headers& fields) {
    json::object object;
    object.reserve(fields.size());
    for (const auto& [name, value] : fields) {
        object.emplace(name, value);
    }
    return json::serialize(object);
}

result<events::headers> headers_from_json(std::string_view text) {
    boost::system::error_code failed;
    const auto parsed = json::parse({text.data(), text.size()}, failed);
    if (failed || !parsed.is_object()) {
        return fail(error_kind::invalid, "outbox-headers", "not a JSON object");
    }
    events::headers fields;
    for (const auto& [name, value] : parsed.get_object()) {
        if (!value.is_string()) {
            return fail(error_kind::invalid, "outbox-headers", "a value is not a string");
        }
        const auto& string = value.get_string();
        fields.emplace_back(std::string(name.data(), name.size()),
                            std::string(string.data(), string.size()));
    }
    return fields;
}

} // namespace relais::outbox
