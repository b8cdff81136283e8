#pragma once

#include "gateway/access/access_record.hpp"

#include <string>
#include <vector>

namespace relais::gateway {

/// What happened to one request, for people: a sentence for each step that it came to, in order.
/// Of the client only its network is shown.
std::vector<std::string> story_of(const access_record& record, const access_names& names);

/// The same and all figures, as a JSON object.
std::string request_json(const access_record& record, const access_names& names);

/// A line of a list: when, what, outcome, id.
std::string request_line_json(const access_record& record, const access_names& names);

} // namespace relais::gateway
