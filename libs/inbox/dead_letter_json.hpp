#pragma once

#include "http/json_writer.hpp"
#include "inbox/dead_letter_audit.hpp"
#include "inbox/dead_letters.hpp"

#include <string>
#include <string_view>

namespace relais::inbox {

// Dead letters as operators see them: the admin API's and relaisctl's objects, each written whole.
// `service` becomes a member unless it is empty.

void write_json(http::json_writer& json, const dead_letter& letter, std::string_view service = {});
void write_json(http::json_writer& json, const dead_letter_group& group,
                std::string_view service = {});
void write_json(http::json_writer& json, const dead_letter_deed& deed,
                std::string_view service = {});

/// With its errors, its record decoded (record_json.hpp), and what it was edited to.
std::string full_json(const dead_letter& letter, std::string_view service = {});

} // namespace relais::inbox
