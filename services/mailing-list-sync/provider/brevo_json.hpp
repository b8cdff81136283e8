#pragma once

#include "http/json_reader.hpp"
#include "http/json_writer.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace relais::mailing_list_sync {

/// An array of ids, left out when empty: Brevo refuses an empty one.
void write_ids(http::json_writer& json, std::string_view name,
               const std::vector<std::int64_t>& ids);

/// The member `id`.
std::int64_t id_member(const http::json_reader& body);

/// A 2xx whose body is not what the documentation says: worth another try, and visible.
error bad_answer(std::string_view what);

} // namespace relais::mailing_list_sync
