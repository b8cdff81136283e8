#pragma once

#include "events/event.hpp"

#include <cstdint>
#include <string>

namespace relais::backbone {

/// The n-th event of a key: a JobPublished whose category is n, padded to about 200 bytes.
events::event make_event(const std::string& key, std::int64_t n, std::size_t noise_bytes = 0);

/// The n-th event of bulk work, on bulk_topic_name, of about the same size; each has a key of its
/// own.
events::event make_bulk_event(std::int64_t n);

/// n of an event of make_event(); 0 for another one.
std::int64_t number_of(const std::string& category);

} // namespace relais::backbone
