#include "outbox/envelope_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace json = boost::json;

namespace relais::outbox {
namespace {

/// Takes the strings of one flat object as they are read. A relay does this for every event, and
/// building the object first cost as much as everything else it does.
struct headers_handler {
    static constexpr std::size_t max_object_size = 1'000;
    static constexpr std::size_t max_array_size = 0;
    static constexpr std::size_t max_key_size = std::size_t{1024} * 1024;
    static constexpr std::size_t max_string_size = std::size_t{1024} * 1024;
    using text = json::string_view;
    using code = boost::system::error_code;

    bool on_object_begin(code& failed) {
        return std::exchange(inside, true) ? refuse(failed) : true;
    }

    bool on_key_part(text part, std::size_t, code&) {
        name.append(part.data(), part.size());
        return true;
    }

    bool on_key(text part, std::size_t size, code& failed) {
        return on_key_part(part, size, failed);
    }

    bool on_string_part(text part, std::size_t, code& failed) {
        value.append(part.data(), part.size());
        return inside || refuse(failed);
    }

    bool on_string(text part, std::size_t size, code& failed) {
        const bool taken = on_string_part(part, size, failed);
        fields.emplace_back(std::exchange(name, {}), std::exchange(value, {}));
        return taken;
    }

    bool on_document_begin(code&) {
        fields.reserve(usual_headers);
        return true;
    }

    bool on_document_end(code&) {
        return true;
    }

    bool on_object_end(std::size_t, code&) {
        return true;
    }

    // What headers never are.
    bool on_array_begin(code& failed) {
        return refuse(failed);
    }

    bool on_array_end(std::size_t, code& failed) {
        return refuse(failed);
    }

    bool on_number_part(text, code& failed) {
        return refuse(failed);
    }

    bool on_int64(std::int64_t, text, code& failed) {
        return refuse(failed);
    }

    bool on_uint64(std::uint64_t, text, code& failed) {
        return refuse(failed);
    }

    bool on_double(double, text, code& failed) {
        return refuse(failed);
    }

    bool on_bool(bool, code& failed) {
        return refuse(failed);
    }

    bool on_null(code& failed) {
        return refuse(failed);
    }

    bool on_comment_part(text, code& failed) {
        return refuse(failed);
    }

    bool on_comment(text, code& failed) {
        return refuse(failed);
    }

    static bool refuse(code& failed) {
        failed = json::error::syntax;
        return false;
    }

    static constexpr std::size_t usual_headers = 16; ///< with those of the position
    events::headers fields;
    std::string name;
    std::string value;
    bool inside = false;
};

} // namespace

std::string headers_to_json(const events::headers& fields) {
    json::object object;
    object.reserve(fields.size());
    for (const auto& [name, value] : fields) {
        object.emplace(name, value);
    }
    return json::serialize(object);
}

result<events::headers> headers_from_json(std::string_view text) {
    json::basic_parser<headers_handler> parser{json::parse_options()};
    boost::system::error_code failed;
    const auto read = parser.write_some(false, text.data(), text.size(), failed);
    if (failed || read != text.size()) {
        return fail(error_kind::invalid, "outbox-headers", "not a JSON object of strings");
    }
    return std::move(parser.handler().fields);
}

} // namespace relais::outbox
