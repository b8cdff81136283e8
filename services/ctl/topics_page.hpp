#pragma once

#include "events/topics.hpp"

#include <string>
#include <vector>

namespace relais::ctl {

/// How long a topic keeps its records, in words.
std::string retention_text(const events::topic& topic);

/// The page of documentation that is committed as proto/TOPICS.md.
std::string topics_page(const std::vector<events::topic>& topics);

} // namespace relais::ctl
