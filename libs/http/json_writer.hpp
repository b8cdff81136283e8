#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::http {

/// Writes JSON in one pass, always well-formed (closing in the wrong order is a bug: assert).
///
///   json_writer json;
///   json.begin_object().member("id", id.text()).member("state", "open");
///   json.begin_array("items"); … json.end_array().end_object();
///   return response::json(200, json.take());
class json_writer {
public:
    json_writer& begin_object();
    json_writer& begin_object(std::string_view name);
    json_writer& end_object();
    json_writer& begin_array();
    json_writer& begin_array(std::string_view name);
    json_writer& end_array();

    json_writer& member(std::string_view name, std::string_view text);
    json_writer& member(std::string_view name, const char* text);
    json_writer& member(std::string_view name, const std::string& text);
    json_writer& member(std::string_view name, bool flag);
    json_writer& member(std::string_view name, double number);
    json_writer& member(std::string_view name, timestamp time); ///< RFC 3339
    json_writer& null_member(std::string_view name);

    template <std::integral Integer>
        requires(!std::same_as<Integer, bool>)
    json_writer& member(std::string_view name, Integer number) {
        return raw_member(name, std::to_string(number));
    }

    template <class Tag>
    json_writer& member(std::string_view name, const id<Tag>& value) {
        return member(name, std::string_view(value.text()));
    }

    json_writer& element(std::string_view text);
    json_writer& element(std::int64_t number);
    /// An element that is JSON already.
    json_writer& raw_element(std::string_view json);

    /// A member whose value is JSON already.
    json_writer& raw_member(std::string_view name, std::string_view json);

    std::string take();

private:
    void separate();
    void write_name(std::string_view name);
    std::string out_;
    std::vector<bool> has_members_; ///< per open object or array
};

} // namespace relais::http
