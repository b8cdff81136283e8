#pragma once

#include "upload/picture/frames.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::upload {

/// What people upload files for, and what such a file may be. Data: a new purpose is a new entry.
struct purpose {
    std::string name;
    std::vector<std::string> content_types;
    std::uint64_t size_max = 0; ///< bytes
    /// Part of the variants' keys: change it with anything below, because keys never change
    /// content.
    std::string recipe_name;
    upload::recipe recipe; ///< its content type is filled in per picture
};

const std::vector<purpose>& all_purposes();

/// nullptr when there is no such purpose.
const purpose* find_purpose(std::string_view name);

bool allows_type(const purpose& what, std::string_view content_type);

} // namespace relais::upload
